import { describe, expect, it } from '@jest/globals';
import { mentionsIn, mostMentions } from './mentions.js';

describe('a mention', () => {
  it('is an @ and an id, where a word may begin; what ends a sentence is no part of it', () => {
    expect(mentionsIn('@ada, see (@auth0|17) and @Grace.')).toEqual([{ ids: ['ada'] }, { ids: ['auth0|17'] }, { ids: ['Grace.', 'Grace', 'grace'] }]);
    expect(mentionsIn('write to linus@example.org, or x/@ada, @ ada, @@ada')).toEqual([]);
  });

  it('is a name between quotation marks', () => {
    expect(mentionsIn('ask @"Ada Lovelace" and @"auth0|1 7", not @"" nor @"two\nlines"')).toEqual([{ name: 'Ada Lovelace' }, { name: 'auth0|1 7' }]);
  });

  it('is none in what is quoted, and none in code', () => {
    expect(mentionsIn('> @ada said\n  > @grace too\n`@linus` ```\n@hank\n``` @eve')).toEqual([{ ids: ['eve'] }]);
  });

  it('counts once, and up to a bound', () => {
    expect(mentionsIn('@ada @ada')).toHaveLength(1);
    expect(mentionsIn(Array.from({ length: 500 }, (_, i) => `@p${i}`).join(' '))).toHaveLength(mostMentions);
  });

  it('takes no time to find in a text that is made to take long', () => {
    const before = process.cpuUsage();
    for (const text of ['@', '`', '```', '> ', '\n>', '@"', '@a.', ' \t']) mentionsIn(text.repeat(50_000 / text.length));
    const { user, system } = process.cpuUsage(before); // whatever else the machine does
    expect((user + system) / 1_000).toBeLessThan(2_000);
  });
});
