// Names of residents with roots elsewhere, from common to rare. A bar parts the prefix from the surname; a slash
// parts the form that men bear from the form that women bear.
import { list } from './name-list.ts';
import type { Origin } from './model.ts';

export interface NameStock {
  readonly M: readonly string[];
  readonly V: readonly string[];
  readonly surnames: readonly string[];
}

export const worldNames: Readonly<Record<Exclude<Origin, 'dutch'>, NameStock>> = {
  turkish: {
    M: list(`Mehmet, Mustafa, Ahmet, Ali, Hüseyin, İbrahim, Hasan, Emre, Yusuf, Murat, Ömer, Kerem, Burak, Can, Enes,
      Halil, Süleyman, Emir, Deniz, Serkan, Özgür, Uğur, Oğuzhan, Çağlar, Şükrü`),
    V: list(`Fatma, Ayşe, Emine, Hatice, Zeynep, Elif, Merve, Esra, Büşra, Meryem, Gül, Songül, Özlem, Sevgi, Nuray,
      Defne, Ecrin, Azra, Aslı, Ceren, Gülsüm, Hülya, Yasemin, Şeyma, Çiğdem`),
    surnames:
      list(`Yılmaz, Kaya, Demir, Çelik, Şahin, Yıldız, Öztürk, Aydın, Arslan, Doğan, Kılıç, Çetin, Koç, Kurt,
      Özdemir, Polat, Korkmaz, Güneş, Erdoğdu, Aksoy, Karataş, Yalçın, Özkan, Bulut, Ünal, Toprak, Akgül, İnce`),
  },
  moroccan: {
    M: list(`Mohamed, Ahmed, Hassan, Abdellah, Rachid, Youssef, Said, Mustapha, Khalid, Ayoub, Bilal, Anouar, Ilyas,
      Hamza, Soufiane, Nordin, Driss, Zakaria, Imran, Ismaïl, Younes, Abdel-Hakim, Naoufal, Aïssa`),
    V: list(`Fatima, Khadija, Naima, Samira, Malika, Rachida, Fatima-Zahra, Hanan, Soumaya, Nadia, Aïcha, Latifa,
      Karima, Salma, Ikram, Meryem, Hafsa, Yasmina, Noura, Safae, Imane, Dounia, Zohra, Inès`),
    surnames:
      list(`El|Amrani, El|Khattabi, Bouzid, Benali, El|Idrissi, Ben|Haddou, El|Mansouri, Azzouzi, Bouali,
      El|Yaakoubi, Chaouki, Amezian, El|Hamdaoui, Ouali, Aoulad, Bakkali, El|Ouariachi, Belkacem, Tahiri, Zerrouk,
      Aït|Taleb, Ben|Moussa, Haddouch, Lamrini, Mokhtari, El|Fassi, Achahbar, Boulahya, Saïdi`),
  },
  surinamese: {
    M: list(`Romeo, Ricardo, Sanjay, Rakesh, Dennis, Winston, Humphrey, Anand, Vishal, Ewald, Clifton, Jairzinho,
      Rishi, Roy, Ramon, Kenneth, Soewarto, Denzel, Giovanni, Ashwin, Radjesh, Marlon, Faried, Orlando`),
    V: list(`Sharda, Shanti, Priya, Muriel, Henna, Indra, Chandra, Astrid, Cynthia, Jacintha, Radha, Naomi, Sabitrie,
      Mavis, Deborah, Wilma, Soeminah, Anjali, Denise, Shaniqua, Kavita, Urmila, Judith-Ann, Gracia`),
    surnames:
      list(`Ramdin, Sewnath, Jagesar, Bissessar, Kalloe, Mahabier, Ramlal, Biharie, Autar, Gopal, Jhinkoe,
      Vrede, Pinas, Amoida, Wijngaarde, Landveld, Blokland, Kromosoeto, Soekarto, Amatredjo, Kartosen, Tjon-A-Joe,
      Lie-A-Ling, Sjak-Shie, Oedayraj Singh, Adhin, Baldew, Emanuelson, Zeefuik, Hoogvliets, Burleson`),
  },
  polish: {
    M: list(`Piotr, Krzysztof, Łukasz, Tomasz, Paweł, Marcin, Michał, Jakub, Mateusz, Kamil, Grzegorz, Adam, Rafał,
      Szymon, Kacper, Wojciech, Zbigniew, Filip, Bartosz, Oskar`),
    V: list(`Anna, Katarzyna, Agnieszka, Małgorzata, Magdalena, Joanna, Aleksandra, Monika, Karolina, Zuzanna, Maja,
      Beata, Ewa, Dorota, Paulina, Natalia, Oliwia, Grażyna, Julia, Bożena`),
    surnames:
      list(`Nowak, Kowalski/Kowalska, Wiśniewski/Wiśniewska, Wójcik, Kamiński/Kamińska, Lewandowicz, Zieliński/
      Zielińska, Woźniak, Mazur, Krawczyk, Dąbrowski/Dąbrowska, Pawlak, Górski/Górska, Król, Wróbel, Jabłoński/
      Jabłońska, Stępień, Sikora, Baran, Duda, Szewczyk, Głowacki/Głowacka, Żak, Łuczak, Pięta`),
  },
  ukrainian: {
    M: list(`Oleksandr, Serhii, Andrii, Dmytro, Mykola, Ivan, Maksym, Bohdan, Artem, Danylo, Yurii, Vitalii, Nazar,
      Taras, Matvii, Oleh`),
    V: list(`Olena, Oksana, Iryna, Tetiana, Natalia, Yuliia, Kateryna, Anastasiia, Svitlana, Sofiia, Daryna, Viktoriia,
      Liudmyla, Mariia, Zlata, Halyna`),
    surnames:
      list(`Melnyk, Shevchenko, Kovalenko, Bondarenko, Tkachenko, Kovalchuk, Kravchenko, Oliinyk, Shevchuk,
      Savchenko, Rudenko, Petrenko, Marchenko, Tkachuk, Moroz, Pavlenko, Levytskyi/Levytska, Zakharchuk, Hrytsenko,
      Kovalskyi/Kovalska, Sydorenko, Honchar, Zhuk, Bilous, Yatsenko`),
  },
  syrian: {
    M: list(`Mohammad, Ahmad, Khaled, Omar, Mahmoud, Yousef, Ibrahim, Abdulrahman, Hussein, Bashar, Firas, Samer,
      Anas, Majd, Hamza, Rami, Fadi, George, Elias, Zaid, Abd Al-Karim, Nour-Eddin`),
    V: list(`Fatima, Rania, Hanan, Amal, Maryam, Rasha, Hiba, Nour, Samar, Aya, Lina, Manal, Rahaf, Dima, Reem, Sham,
      Layan, Rima, Souad, Yara, Ghada, Shahd`),
    surnames:
      list(`Al|Hamad, Al|Masri, Haddad, Darwish, Khoury, Al|Ahmad, Al|Mohammad, Shaheen, Al|Khatib, Nasser,
      Kassab, Al|Jasem, Al-Hariri, Ibrahim, Sulaiman, Hassoun, Al|Sheikh, Kanaan, Hajj Ali, Mansour, Al|Omar,
      Barakat, Al-Najjar, Othman, Saleh, Touma, Hanna, Abou|Zeid`),
  },
  indonesian: {
    M: list(`Johannes, Marcus, Elias, Robert, Benjamin, Frans, Otniel, Zeth, Ronny, Jeremia, Daniël, Budi, Agus,
      Christiaan, Semuel, Julius, Rocky, Dave, Eddy`),
    V: list(`Maria, Johanna, Magdalena, Dina, Sientje, Yolanda, Dewi, Sri, Naomi, Juliana, Mientje, Ratna, Costavina,
      Elsje, Lea, Rachel, Shirley, Jeanette, Nonnie`),
    surnames:
      list(`Pattipeilohy, Tahitu, Sahetapy, Latuheru, Manuhutu, Tomasowa, Pattiasina, Lopulalan, Matulessy,
      Siahaya, Nanlohy, Ririmasse, Wattimena, Leatemia, Tuhumury, Santoso, Wijaya, Hartono, Soetanto, Sinaga,
      Van der|Steur, de|Quelju, Hehanussa, Tupamahu, Akihary`),
  },
  german: {
    M: list(`Jonas, Felix, Lukas, Maximilian, Leon, Jürgen, Stefan, Tobias, Klaus, Dieter, Björn, Moritz, Sebastian,
      Heinz, Götz, Jörg`),
    V: list(`Anna-Lena, Lea, Hannah, Katharina, Julia, Sabine, Petra, Johanna, Charlotte, Franziska, Jana, Mia,
      Käthe, Ursula, Ann-Kathrin, Zoé`),
    surnames:
      list(`Müller, Schmitz, Schröder, Becker, Weiß, Hoffmann, Köhler, Wagner, Schäfer, Groß, Krüger, Jäger,
      Böhm, Lange, Vogel, Brandt, Lütkemeyer, Grünewald, von der|Heide, von|Hövel, Strauß, Peters, Terhorst`),
  },
  elsewhere: {
    M: list(`José, Luis, Abdi, Tesfay, Filmon, Kofi, Ivan, João, Noël, Rubén, Farid, Reza, Björn, Cheng, Søren, Arjun,
      Jaïr, Curtley, Giandro, Yonas, Nuño`),
    V: list(`María, Ana, Fartun, Selam, Feven, Abena, Elena, Lucía, Joëlle, Zahra, Shirin, Mei, Nuria, Åsa, Inês,
      Sharline, Rigeline, Xiomara, Saba, Begoña`),
    surnames:
      list(`Núñez, Martina, da|Silva, dos|Santos, Hassan, Tesfamariam, Mensah, Popescu, Ivanov/Ivanova, Rahimi,
      García López, Fernández, Peña, Sørensen, Øvergård, Åkerlund, Horváth, Novák, Chen, Wang, Ghebremedhin,
      Abdirahman, Warsame, O'Brien, D'Souza, Maduro, Croes, Janga, Cijntje, Boekhoudt, Gonçalves, di|Marco, Ahmadi,
      Osei-Bonsu, Ćosić, Đorđević, Băsescu-Ionescu, Nazarian, Singh, Hooshmand`),
  },
};
