import { describe, expect, it } from '@jest/globals';
import { titleWords } from './title-words.js';

describe('words of a title', () => {
  it.each([
    ['Order 4711-AB has not arrived', ['order', 'arrived']],
    ["Where's my parcel? Order A12", ['parcel', 'order']],
    ['Frage zur Rückerstattung: Rückerstattung!', ['rückerstattung']],
    ['Problème avec la livraison', ['livraison']],
    ['No he recibido el pedido', ['recibido', 'pedido']],
    ['Encomenda não chegou', ['encomenda', 'chegou']],
    ['Pytanie o fakturę', ['fakturę']],
    ['Вопрос по счёту', ['счёту']],
    ['Η παραγγελία δεν έφτασε', ['παραγγελία', 'έφτασε']],
    ['… 12 !!! $', []],
    ['', []],
  ])('%p are %p', (title, words) => expect(titleWords(title)).toEqual(words));

  it('are told once each, in lower case, with their accents', () => expect(titleWords('Café CAFÉ cafe\u0301')).toEqual(['café']));
  it('never hold a digit', () => expect(titleWords('a1b2c3 RE2026 ١٢٣ refund')).toEqual(['refund']));
  it('of scripts without blanks are found by a dictionary', () => expect(titleWords('订单没有收到')).toContain('订单'));
});
