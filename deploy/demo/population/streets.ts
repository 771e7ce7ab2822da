// The streets of Waalstad, an invented city. Its postcodes lie in a gap of the Dutch series, so that no dwelling here
// should be somebody's home.
import { list } from './name-list.ts';

export interface District {
  readonly name: string;
  readonly postcodeDigits: string;
  /** Share of the streets' dwellings that the housing association lets, 0–1. */
  readonly socialRent: number;
  /** Share of the house numbers that are flats or split houses, 0–1. */
  readonly stacked: number;
  readonly streets: readonly string[];
}

export const districts: readonly District[] = [
  {
    name: 'Binnenstad',
    postcodeDigits: '6552',
    socialRent: 0.3,
    stacked: 0.55,
    streets: list(`Kerkstraat, Korenmarkt, Vismarkt, Smidstraat, Pottenbakkersgang, Waagplein, Kloosterpad,
      Begijnenhof, Lange Brouwerstraat, Korte Brouwerstraat, Stadswal, Torenstraat, Veerpoort, Kadestraat, Zoutgang,
      Apothekersgang, Bakkerstraat, Oude Houtmarkt, Hofstraat, Papengas, Tolstraat, Wijnhuisplein, Zusterstraat,
      Achter de Munt`),
  },
  {
    name: 'Bloemenkwartier',
    postcodeDigits: '6553',
    socialRent: 0.65,
    stacked: 0.25,
    streets:
      list(`Anjerstraat, Asterstraat, Begoniastraat, Chrysantstraat, Dahliastraat, Fresiastraat, Geraniumstraat,
      Goudsbloemstraat, Hyacintstraat, Irisstraat, Klaprooshof, Korenbloemstraat, Krokusstraat, Lavendelhof,
      Leliestraat, Lupinestraat, Narcisstraat, Papaverstraat, Pioenstraat, Primulaplein, Resedastraat, Rozenlaan,
      Tulpstraat, Violierstraat`),
  },
  {
    name: 'Vogelbuurt',
    postcodeDigits: '6554',
    socialRent: 0.5,
    stacked: 0.2,
    streets:
      list(`Boomvalkstraat, Eksterlaan, Fazantstraat, Fuutstraat, Gruttostraat, Havikstraat, Kievitstraat,
      Koekoekstraat, Kwartelstraat, Leeuweriklaan, Lijsterbeslaan, Meerkoetstraat, Merelstraat, Mezenhof,
      Nachtegaalplein, Ooievaarstraat, Patrijsstraat, Reigerstraat, Roodborststraat, Spechtstraat, Sperwerstraat,
      Tureluurstraat, Wielewaalstraat, Zwaluwstraat`),
  },
  {
    name: 'Componistenkwartier',
    postcodeDigits: '6555',
    socialRent: 0.45,
    stacked: 0.6,
    streets:
      list(`Bachstraat, Bartókstraat, Beethovenlaan, Bizetstraat, Brahmsstraat, Chopinstraat, Debussystraat,
      Dvořákstraat, Griegstraat, Händelstraat, Haydnstraat, Lisztstraat, Mahlerlaan, Mendelssohnstraat, Mozartlaan,
      Offenbachstraat, Puccinihof, Ravelstraat, Rossinistraat, Schubertstraat, Sibeliusstraat, Straussplein,
      Verdistraat, Vivaldistraat`),
  },
  {
    name: 'Bomenbuurt',
    postcodeDigits: '6556',
    socialRent: 0.15,
    stacked: 0.08,
    streets:
      list(`Abeellaan, Acacialaan, Berkenlaan, Beukenlaan, Cederlaan, Dennenlaan, Eikenlaan, Elzenstraat,
      Essenlaan, Esdoornstraat, Haagbeuklaan, Hazelaarstraat, Iepenstraat, Jeneverbeshof, Kastanjelaan, Larikslaan,
      Lindelaan, Meidoornstraat, Moerbeilaan, Notenlaan, Olmenstraat, Plataanlaan, Populierstraat, Wilgenpad`),
  },
  {
    name: 'Schilderswijk',
    postcodeDigits: '6557',
    socialRent: 0.75,
    stacked: 0.5,
    streets:
      list(`Averkampstraat, Bosboomstraat, Breitnerstraat, Fabritiusstraat, Frans Halsstraat, Jan Steenstraat,
      Judith Leysterhof, Mauvestraat, Mesdagstraat, Metsustraat, Mondriaanplein, Paulus Potterstraat,
      Rembrandtstraat, Rubensstraat, Ruisdaelstraat, Saenredamstraat, Ter Borchstraat, Thérèse Schwartzehof,
      Van Goghstraat, Van Ostadestraat, Vermeerstraat, Vinckboonsstraat, Weissenbruchstraat, Willem Marisstraat`),
  },
  {
    name: 'Rivierenwijk',
    postcodeDigits: '6558',
    socialRent: 0.55,
    stacked: 0.4,
    streets:
      list(`Aastraat, Amstelstraat, Berkelstraat, Dieststraat, Dinkelstraat, Dommelstraat, Donaustraat, Eemstraat,
      Geulstraat, Gouwestraat, IJsselstraat, Jekerhof, Lekstraat, Lingestraat, Maasstraat, Merwedeplein, Moezelstraat,
      Niersstraat, Reggestraat, Rijnstraat, Roerstraat, Scheldestraat, Spaarnestraat, Vechtstraat`),
  },
  {
    name: 'Nieuwe Uiterwaard',
    postcodeDigits: '6559',
    socialRent: 0.3,
    stacked: 0.2,
    streets:
      list(`Boekweitveld, Boterbloemweide, Dijkzicht, Fluitenkruid, Gerstveld, Griendwerkershof, Haverveld,
      Hooiweg, Kolkzicht, Kribpad, Kweldam, Lisdodde, Oeverloper, Overlaat, Pinksterbloemweide, Rietgors,
      Roggeveld, Steenovenlaan, Strang, Tarweveld, Waterviolier, Weteringpad, Wilgenroosje, Zomerkade`),
  },
];
