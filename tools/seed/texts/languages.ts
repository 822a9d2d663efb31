import { phrases, type Phrase } from '../phrase.js';

/** A language in which customers write, other than English. Its sentences fit any subject. */
export interface Language {
  titles: readonly Phrase[];
  sentences: readonly Phrase[];
}

const language = (titles: string, sentences: string): Language => ({ titles: phrases(titles.replaceAll('|', '\n')), sentences: phrases(sentences) });

export const languages: Readonly<Record<string, Language>> = {
  de: language('Bestellung {order} ist nicht angekommen|Frage zur Rechnung {invoice}|Problem mit {product}', `
    Guten Tag, ich habe ein Problem mit meiner Bestellung {order}.
    Leider funktioniert es seit {date} überhaupt nicht mehr.
    Auf der Rechnung {invoice} steht ein falscher Betrag von {amount}.
    Ich habe schon mehrmals angerufen, aber niemand konnte mir weiterhelfen.
    Können Sie mir bitte sagen, wie es nun weitergeht?
    Die Rückerstattung ist bis heute nicht auf meinem Konto eingegangen.
    Über eine schnelle Antwort würde ich mich sehr freuen.
    Mit freundlichen Grüßen, {full}`),
  fr: language('Commande {order} non reçue|Question sur la facture {invoice}|Problème avec {product}', `
    Bonjour, je vous écris au sujet de ma commande {order}.
    Malheureusement, rien ne fonctionne depuis le {date}.
    La facture {invoice} indique un montant erroné de {amount}.
    J'ai déjà appelé plusieurs fois, sans réponse satisfaisante.
    Pourriez-vous vérifier cela et me tenir informé, s'il vous plaît ?
    Le remboursement promis n'est toujours pas arrivé sur mon compte.
    Je vous remercie d'avance pour votre aide.
    Cordialement, {full}`),
  es: language('No he recibido el pedido {order}|Duda sobre la factura {invoice}|Problema con {product}', `
    Hola, les escribo por mi pedido {order}.
    Desde el {date} no funciona nada.
    En la factura {invoice} aparece un importe incorrecto de {amount}.
    Ya he llamado varias veces y nadie me ha dado una solución.
    ¿Podrían revisarlo y decirme qué tengo que hacer?
    Todavía no he recibido la devolución del dinero.
    Quedo a la espera de su respuesta.
    Un saludo, {full}`),
  pt: language('Encomenda {order} não chegou|Dúvida sobre a fatura {invoice}|Problema com {product}', `
    Olá, escrevo por causa da minha encomenda {order}.
    Infelizmente não funciona desde {date}.
    A fatura {invoice} mostra um valor errado de {amount}.
    Já liguei várias vezes e ninguém conseguiu ajudar.
    Podem verificar e dizer-me o que devo fazer, por favor?
    Ainda não recebi a devolução do dinheiro na minha conta.
    Obrigado pela atenção, {full}`),
  pl: language('Zamówienie {order} nie dotarło|Pytanie o fakturę {invoice}', `
    Dzień dobry, piszę w sprawie zamówienia {order}.
    Niestety od {date} nic nie działa.
    Na fakturze {invoice} jest błędna kwota {amount}.
    Dzwoniłem już kilka razy, ale nikt nie potrafił mi pomóc.
    Proszę o sprawdzenie i szybką odpowiedź.
    Zwrot pieniędzy jeszcze nie wpłynął na moje konto.
    Z poważaniem, {full}`),
  tr: language('{order} numaralı sipariş gelmedi|{invoice} faturası hakkında', `
    Merhaba, {order} numaralı siparişim hakkında yazıyorum.
    Maalesef {date} tarihinden beri çalışmıyor.
    Faturada yanlış bir tutar var: {amount}.
    Birkaç kez aradım ama kimse yardımcı olamadı.
    Lütfen kontrol edip bana bilgi verir misiniz?
    Para iadesi hâlâ hesabıma geçmedi.
    Teşekkürler, {full}`),
  it: language('Ordine {order} non arrivato|Domanda sulla fattura {invoice}', `
    Buongiorno, scrivo per il mio ordine {order}.
    Purtroppo dal {date} non funziona più niente.
    La fattura {invoice} riporta un importo sbagliato di {amount}.
    Ho già telefonato più volte, ma nessuno ha saputo aiutarmi.
    Potreste controllare e farmi sapere, per favore?
    Il rimborso non è ancora arrivato sul mio conto.
    Cordiali saluti, {full}`),
  ru: language('Заказ {order} не пришёл|Вопрос по счёту {invoice}|Проблема с {product}', `
    Здравствуйте, пишу по поводу заказа {order}.
    К сожалению, с {date} ничего не работает.
    В счёте {invoice} указана неверная сумма {amount}.
    Я уже несколько раз звонил, но никто не смог мне помочь.
    Пожалуйста, проверьте и сообщите, что мне делать дальше.
    Возврат денег до сих пор не поступил на мой счёт.
    С уважением, {full}`),
  el: language('Η παραγγελία {order} δεν έφτασε|Ερώτηση για το τιμολόγιο {invoice}', `
    Καλημέρα σας, γράφω για την παραγγελία {order}.
    Δυστυχώς δεν λειτουργεί τίποτα από τις {date}.
    Στο τιμολόγιο {invoice} υπάρχει λάθος ποσό {amount}.
    Έχω τηλεφωνήσει πολλές φορές χωρίς αποτέλεσμα.
    Μπορείτε να το ελέγξετε και να με ενημερώσετε;
    Ευχαριστώ πολύ, {full}`),
  ja: language('注文 {order} が届きません|請求書 {invoice} について|{product} の不具合', `
    お世話になっております。注文番号 {order} についてお問い合わせします。
    {date} から動作しなくなりました。
    請求書 {invoice} の金額 {amount} が間違っているようです。
    何度か電話しましたが、つながりませんでした。
    お手数ですが、ご確認のうえご連絡いただけますでしょうか。
    返金がまだ口座に入っていません。
    よろしくお願いいたします。 {full}`),
  zh: language('订单 {order} 没有收到|关于发票 {invoice} 的问题', `
    您好，我想咨询订单 {order} 的情况。
    从 {date} 开始就无法使用了。
    发票 {invoice} 上的金额 {amount} 不对。
    我打过好几次电话，一直没有人接听。
    请尽快核实并回复我。
    退款到现在还没有到账。
    谢谢！ {full}`),
  ko: language('주문 {order} 이 도착하지 않았습니다|청구서 {invoice} 문의', `
    안녕하세요, 주문번호 {order} 때문에 문의드립니다.
    {date} 부터 작동하지 않습니다.
    청구서 {invoice} 의 금액 {amount} 이 잘못되었습니다.
    여러 번 전화했지만 연결되지 않았습니다.
    확인 후 연락 부탁드립니다.
    감사합니다. {full}`),
  ar: language('لم يصل الطلب {order}|سؤال عن الفاتورة {invoice}', `
    مرحبا، أكتب إليكم بخصوص الطلب رقم {order}.
    للأسف لا يعمل أي شيء منذ {date}.
    المبلغ {amount} في الفاتورة {invoice} غير صحيح.
    اتصلت عدة مرات ولم أحصل على مساعدة.
    أرجو التحقق من الأمر والرد في أقرب وقت.
    شكرا لكم، {full}`),
  hi: language('ऑर्डर {order} नहीं मिला|बिल {invoice} के बारे में सवाल', `
    नमस्ते, मैं अपने ऑर्डर {order} के बारे में लिख रहा हूँ।
    {date} से कुछ भी काम नहीं कर रहा है।
    बिल {invoice} में राशि {amount} गलत है।
    मैंने कई बार फोन किया, लेकिन किसी ने मदद नहीं की।
    कृपया जाँच करके मुझे बताइए।
    धन्यवाद, {full}`),
};
