/** Names of people by where they come from. */
export interface Culture {
  /** How many of a hundred people are of it. */
  share: number;
  first: readonly string[];
  last: readonly string[];
  /** Language they write in, when they do not write in English. */
  language?: string;
  /** The last name comes first and no blank stands between. */
  joined?: boolean;
}

const culture = (share: number, names: [first: string, last: string], others: Omit<Culture, 'share' | 'first' | 'last'> = {}): Culture => ({
  share,
  first: names[0].split(' '),
  last: names[1].split(' '),
  ...others,
});

/** A name in another script has its Latin form behind a slash, for the e-mail address. */
export const cultures: readonly Culture[] = [
  culture(24, [
    'Olivia James Emma Oliver Amelia Jack Grace Harry Sophie Charlie Emily Thomas Ava George Isla William Ella Noah Lily Henry Chloe Samuel Megan Daniel Hannah Matthew Rachel Andrew Laura Peter Susan Michael Karen David Linda Robert Patricia John Barbara Kevin Tracy Sean Siobhán Brian Fiona Callum',
    'Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts Green Hall Wood Jackson Clarke Harris Martin Cooper King Lee Baker Turner Hill Moore Morris Ward Carter Phillips Mitchell Campbell Stewart Murphy Kelly Byrne O’Brien Fitzgerald Whitaker Ashcroft Pemberton Hawthorne Larkin',
  ]),
  culture(11, [
    'Anna Lukas Marie Jonas Lena Felix Sabine Jürgen Ute Klaus Katrin Stefan Birgit Matthias Käthe Jörg Heike Torsten Nadine Uwe Petra Günther Ingrid Florian Bärbel',
    'Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf Schröder Neumann Krüger Groß Vogel Köhler Jäger Brandt Hübner Dörfler Weiß Kühn',
  ], { language: 'de' }),
  culture(8, [
    'Camille Lucas Chloé Hugo Léa Théo Élodie François Aurélie Gérard Hélène Mathieu Céline Jérôme Sylvie Benoît Noémie Étienne Margaux Rémi',
    'Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Lefèvre Fournier Girard Mercier Dupont Lambert Bonnet François Legrand Gauthier Chevalier Rousseau',
  ], { language: 'fr' }),
  culture(9, [
    'María José Carmen Antonio Lucía Javier Ana Miguel Sofía Ángel Elena Andrés Valentina Mateo Camila Joaquín Inés Álvaro Ximena Raúl Belén Íñigo',
    'García Rodríguez Martínez Hernández López González Pérez Sánchez Ramírez Torres Flores Rivera Gómez Díaz Muñoz Ibáñez Núñez Peña Castaño Zúñiga Echeverría',
  ], { language: 'es' }),
  culture(6, [
    'João Beatriz Pedro Mariana Tiago Inês Gonçalo Luísa Rui Conceição Thiago Fernanda Caio Letícia Otávio',
    'Silva Santos Oliveira Souza Pereira Ferreira Gonçalves Araújo Magalhães Simões Brandão Falcão Conceição Guimarães',
  ], { language: 'pt' }),
  culture(5, [
    'Tomasz Małgorzata Łukasz Agnieszka Paweł Katarzyna Michał Zofia Grzegorz Elżbieta Stanisław Żaneta',
    'Nowak Wójcik Woźniak Mazur Kaczmarek Pawlak Michalak Łuczak Król Dudek Wróbel Stępień Bąk Zając Sikora Duda',
  ], { language: 'pl' }),
  culture(4, [
    'Zeynep Mehmet Elif Mustafa Ayşe Ahmet Emine Hüseyin Özlem Çağlar Şebnem Gökhan İrem Uğur',
    'Yılmaz Kaya Demir Şahin Çelik Yıldız Öztürk Aydın Özdemir Arslan Doğan Kılıç Çetin Güneş',
  ], { language: 'tr' }),
  culture(4, [
    'Giulia Matteo Chiara Alessandro Francesca Niccolò Martina Davide Beatrice Gianluca Ludovica Pierpaolo',
    'Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Conti Lo-Presti D’Angelo Bellucci',
  ], { language: 'it' }),
  culture(5, [
    'Astrid Lars Ingrid Bjørn Freja Søren Åsa Göran Maja Øyvind Kirsten Håkon Sigrún Þór Aino Väinö',
    'Hansen Johansson Nielsen Andersson Jensen Larsen Sørensen Lindström Ødegård Håkansson Bergström Jónsdóttir Virtanen Mäkelä',
  ]),
  culture(4, [
    'Ngọc Minh Thảo Dũng Phương Quân Hương Đức Linh Tuấn Yến Hải',
    'Nguyễn Trần Lê Phạm Huỳnh Hoàng Phan Vũ Võ Đặng Bùi Đỗ',
  ]),
  culture(5, [
    'Chinedu Adaeze Oluwaseun Ngozi Kwame Abena Tendai Amina Kofi Zanele Thabo Wanjiku Babatunde Ifeoma Mamadou Fatou',
    'Okafor Adeyemi Mensah Diallo Nkosi Mwangi Owusu Traoré Abebe Okonkwo Eze Ndiaye Boateng Chukwu Kamau Dlamini',
  ]),
  culture(6, [
    'Priya Rahul Ananya Arjun Deepika Vikram Kavya Sanjay Meera Rohan Lakshmi Imran Ayesha Farhan',
    'Sharma Patel Singh Kumar Gupta Reddy Iyer Nair Khan Mehta Chatterjee Banerjee Raman Hussain Fernando Perera',
  ]),
  culture(3, [
    'Wei Li Jing Hao Mei Chen Yuki Haruto Sakura Min-jun Ji-woo Seo-yeon Kenji Akiko',
    'Wang Zhang Liu Chen Yang Huang Tanaka Suzuki Sato Kim Park Choi Lin Zhao',
  ]),
  culture(2, [
    'Omar Layla Yusuf Mariam Hassan Nour Karim Salma Tarek Rania',
    'Haddad Mansour El-Sayed Khalil Nasser Farouk Rahman Bakri Amrani Benali',
  ]),
  culture(1.2, [
    'Анна/Anna Дмитрий/Dmitri Ольга/Olga Сергей/Sergei Елена/Elena Иван/Ivan Наталья/Natalia Алексей/Alexei',
    'Бондаренко/Bondarenko Шевченко/Shevchenko Черных/Chernykh Кравчук/Kravchuk Седых/Sedykh Ткаченко/Tkachenko Долгих/Dolgikh',
  ], { language: 'ru' }),
  culture(0.6, [
    'Μαρία/Maria Γιώργος/Giorgos Ελένη/Eleni Νίκος/Nikos Κατερίνα/Katerina',
    'Παπαδόπουλος/Papadopoulos Γεωργίου/Georgiou Νικολαΐδης/Nikolaidis Οικονόμου/Oikonomou',
  ], { language: 'el' }),
  culture(1, [
    '健太/Kenta 美咲/Misaki 翔/Sho 陽子/Yoko 大輔/Daisuke 結衣/Yui',
    '佐藤/Sato 鈴木/Suzuki 高橋/Takahashi 田中/Tanaka 渡辺/Watanabe 山本/Yamamoto 小林/Kobayashi',
  ], { language: 'ja', joined: true }),
  culture(1, [
    '伟/Wei 芳/Fang 娜/Na 秀英/Xiuying 敏/Min 静/Jing 强/Qiang',
    '王/Wang 李/Li 张/Zhang 刘/Liu 陈/Chen 杨/Yang 赵/Zhao',
  ], { language: 'zh', joined: true }),
  culture(0.5, [
    '민준/Minjun 서연/Seoyeon 지후/Jihu 하은/Haeun',
    '김/Kim 이/Lee 박/Park 최/Choi 정/Jung',
  ], { language: 'ko', joined: true }),
  culture(0.8, [
    'محمد/Mohammed فاطمة/Fatima أحمد/Ahmed مريم/Mariam خالد/Khaled نور/Nour',
    'الحداد/Alhaddad منصور/Mansour السيد/Alsayed خليل/Khalil ناصر/Nasser',
  ], { language: 'ar' }),
  culture(0.6, [
    'अनीता/Anita राजेश/Rajesh सुनीता/Sunita अमित/Amit कविता/Kavita',
    'शर्मा/Sharma वर्मा/Verma सिंह/Singh गुप्ता/Gupta यादव/Yadav',
  ], { language: 'hi' }),
];
