import { describe, expect, it } from '@jest/globals';
import { generationOf, groupOf } from './generation.js';

describe('groups of generations', () => {
  it.each([[1, 'service.views'], [2, 'service.views.g2'], [11, 'service.views.g11']])('of generation %i are %s', (generation, name) => {
    expect(groupOf('service.views', generation)).toBe(name);
    expect(generationOf(name, 'service.views')).toBe(generation);
  });

  it.each(['service.view', 'service.views2', 'service.views.', 'service.views.gx', 'service.views.g2.dd', 'other.g2'])('%s is none of them', (name) => expect(generationOf(name, 'service.views')).toBeUndefined());
});
