import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseBody } from './request-body.js';

const canonical = (text: string) => parseBody(Buffer.from(text)).canonical;

describe('the canonical text of a body', () => {
  it('is the same however the same JSON is written', () => {
    expect(canonical(' { "b" : [ 1.0, "\\u0061" ], "a": {"y":null,"x":true} } ')).toBe('{"a":{"x":true,"y":null},"b":[1,"a"]}');
  });

  it('differs between different values', () => {
    const texts = ['{"a":1}', '{"a":"1"}', '{"a":[1]}', '{"a":{}}', '{"a":[]}', '{"a":null}', '{}', '[]', '"a"', '{"a":1,"b":1}', '{"a,b":1}'];
    expect(new Set(texts.map(canonical)).size).toBe(texts.length);
  });

  it('is JSON for the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        if (/__proto__|constructor|prototype/.test(text)) return;
        expect(JSON.parse(canonical(text))).toEqual(JSON.parse(text));
      }),
    );
  });
});
