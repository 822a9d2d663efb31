/**
 * Words that say nothing of what a ticket is about, in the languages that customers write in. Folded, as `stem` makes them.
 */
const silent = new Set(
  `a about after again all also an and any are as at be because been before but by can cannot cant could did do does doesn doesnt don dont for from get gets
  got had has have hello help hi how if in into is isn isnt it its just me more my need needs new no not now of off on one only or our out over please
  question re regarding since so some still than thanks that the their them then there these they this to too two until up us very via was wasn we were what when
  where which while who why will with without won wont would yet you your yours am did didn didnt per twice
  aber als am an auf aus bei bin bis bitte da das dass dem den der des die durch ein eine einem einen einer es fur frage habe haben hat ich ihr ihre im in ist
  kann kein keine man mehr mein meine mit nach nicht noch nur oder ob seit sich sie sind uber um und von vom vor wann warum was wegen wenn wer wie wir wird wo zu
  zum zur problem
  au aux avec ce ces cette comment dans de des du elle en est et il je la le les leur lors ma mais mes mon ne non nos notre nous on ou par pas pour pourquoi plus que
  qui sa sans se ses son sont sur un une vos votre vous depuis probleme question
  al como con cual cuando de del desde donde el ella en era es esta estan este esto fue ha han hay la las lo los mas me mi mis muy no nos o para pero por porque que
  se sin sobre su sus te tiene un una y ya he duda problema
  ao aos as da das do dos e em eu foi isso la mais mas meu minha na nao nas nem no nos os ou para pela pelo por porque qual quando que sem ser seu sua um uma duvida
  ale bo by czy dla do gdy i ich jak jest jestem juz lub ma mam na nie o od oraz po pod przez przy sa sie tak tego tez to w we z za ze pytanie problem
  acaba ama ben bir bu cok da daha de degil diye gibi hakkinda icin ile ise ki mi mu ne neden nasil numarali o sadece sonra ve veya var yok gelmedi
  agli ai al alla che chi ci come con cosa da dal dalla dei del della delle di dove e ed gli ha ho i il in io la le lo ma mi mio nel nella no non o per perche piu quando
  questo se senza si sono su sul sulla suo un una uno domanda
  aan al als bij dat de den der die dit een en er geen had heb heeft het hij hoe ik in is je kan maar met mijn na naar niet nog of om onze op over te tot u uit van voor
  wat we wel wij worden zijn vraag
  без был была было быть в во вам вас все вы где для до его ее если есть же за и из или к как когда ко мне мои на не нет но о об он она они от по под при про с со так
  то у уже что чтобы это я вопрос проблема почему можно
  απο για δεν ειναι ερωτηση η και με μου να ο οι οταν που πως σας σε στη στην στο τα τη την της τι το τον του των
  في من على الى عن مع هذا هذه ما لا لم هل كيف متى سؤال
  के की का को से में है हैं और पर नही नहीं मेरा मेरी बारे सवाल यह वह
  について です ます した が の に を は で と も から まで した ません する いる ない
  的 了 在 是 我 有 和 不 没有 关于 问题 吗 怎么 什么
  문의 이 가 은 는 을 를 에 의`
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .split(/\s+/),
);

/** Words stand between blanks in most scripts; in these a dictionary has to tell them apart. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
const segmenter = new Intl.Segmenter('und', { granularity: 'word' });

/** Letters with their accents, of one word. What holds a digit is a number or somebody's order, no subject. */
const pattern = /[\p{L}\p{M}\p{N}]+/gu;
const [shortest, longest] = [3, 40];

const stem = (word: string) => word.normalize('NFKD').replace(/\p{M}+/gu, '').replaceAll('ı', 'i');

/** What a title is about: its words in lower case, each once, but for those that say nothing. */
export function titleWords(title: string): string[] {
  const words = title.normalize('NFC').toLowerCase().match(pattern) ?? [];
  return [...new Set(words.flatMap(apart))].filter(tells);
}

const apart = (word: string) => (unspaced.test(word) ? Array.from(segmenter.segment(word), ({ segment }) => segment) : [word]);

function tells(word: string): boolean {
  const least = unspaced.test(word) ? 2 : shortest;
  return word.length >= least && word.length <= longest && !/\p{N}/u.test(word) && !silent.has(stem(word));
}
