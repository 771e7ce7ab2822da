// Dutch names by cohort. Lists run from common to rare; a bar parts the prefix from the surname. Around the city
// most people born before 1970 got Catholic baptismal names, two or three of them.
import { list } from './name-list.ts';

export const dutchGivenNames = {
  before1970: {
    M: list(`Johannes, Wilhelmus, Hendrikus, Cornelis, Petrus, Theodorus, Antonius, Gerardus, Jacobus, Franciscus,
      Martinus, Gerrit, Hendrik, Jan, Willem, Pieter, Josephus, Adrianus, Lambertus, Marinus, Leonardus, Bernardus,
      Rudolf, Frederik, Arnoldus, Robert, Ronald, Hubertus, Albertus, Matthijs, Jozef, Egidius, IJsbrand, Thijs`),
    V: list(`Maria, Johanna, Wilhelmina, Elisabeth, Petronella, Theodora, Cornelia, Hendrika, Anna, Antonia,
      Catharina, Gerarda, Jacoba, Margaretha, Francisca, Adriana, Helena, Christina, Geertruida, Martina, Agnes,
      Ingrid, Marie-Louise, Yvonne, Monique, Annemarie, Truus, Riet, Gijsberta, Huberdina, José, Desirée, Renée`),
  },
  before1995: {
    M: list(`Peter, Marcel, Patrick, Dennis, Jeroen, Rob, Bas, Stefan, Michiel, Sander, Niels, Mark, Erik, Frank,
      Paul, Martijn, Tim, Rick, Joost, Bart, Maarten, Jan-Willem, Roy, Kevin, Jasper, Koen, Ruben, Wouter, Remco,
      Pieter-Jan, Maurice, Björn, André, René, Thijs, Gijs, Luuk, Stijn, Mathijs, Joris, Guus, Jelle, Noël, Hessel`),
    V: list(`Sandra, Linda, Marieke, Esther, Petra, Kim, Daniëlle, Judith, Anouk, Suzanne, Lisa, Marloes, Wendy,
      Laura, Ilse, Chantal, Annemiek, Mariska, Femke, Nicole, Bianca, Lieke, Sanne, Anne-Marie, Renske, Michèle,
      Joyce, Manon, Priscilla, Ellen, Carolien, Loes, Joëlle, Inge, Iris, Myrthe, Marjolijn, Nienke, Yvette, Rianne`),
  },
  later: {
    M: list(`Daan, Sem, Lucas, Thijs, Finn, Levi, Luuk, Jesse, Bram, Milan, Noah, Tim, Lars, Stijn, Thomas, Julian,
      Mees, Sven, Ruben, Gijs, Jayden, Teun, Guus, Siebe, Floris, Tijn, Jens, Boaz, Tygo, Noël, Mats, Olivier,
      Jan-Pieter, Pepijn, Kjeld, Dylan, Quinten, Ties, Hidde, Jurre, Rayan, Duuk, Raphaël, Xavier, Job, Cas`),
    V: list(`Emma, Sophie, Julia, Anna, Lotte, Sanne, Tess, Eva, Fleur, Lieke, Roos, Saar, Zoë, Evi, Noor, Femke,
      Isa, Maud, Anouk, Liv, Jasmijn, Floor, Nina, Loïs, Sterre, Fenna, Feline, Chloë, Amber, Merel, Ilse, Veerle,
      Puck, Jip, Norah, Pleun, Yfke, Elin, Anaïs, Mirthe, Iris, Doutzen, Romée, Lizzy, Bo, Isabelle, Linde, Hanne`),
  },
};

/** Second and third names; the older ones on top of the list of their own cohort. */
export const dutchMiddleNames = {
  M: list(
    `Maria, Johannes, Wilhelmus, Antonius, Petrus, Jacobus, Cornelis, Hendrikus, Willem, Jan, Josephus`,
  ),
  V: list(
    `Maria, Johanna, Wilhelmina, Anna, Elisabeth, Cornelia, Catharina, Hendrika, Louise, Theodora, Helena`,
  ),
};

export const dutchSurnames = list(`
  Jansen, Janssen, Peters, de|Vries, de|Jong, van den|Berg, Hendriks, van|Dijk, Bakker, Visser, Smit, Jacobs,
  Derks, Willems, Meijer, Thijssen, Gerritsen, de|Boer, Mulder, Arts, Peeters, van der|Heijden, Rutten, Smits,
  de|Groot, Bos, Vos, van|Leeuwen, Dekker, Brouwer, Driessen, Verhoeven, van de|Ven, van den|Heuvel, Hermsen,
  Willemsen, Janssens, Kersten, van|Haren, de|Wit, de|Graaf, van der|Meer, van der|Linden, Kok, de|Haan, Vermeulen,
  van den|Broek, de|Bruijn, de|Bruin, Schouten, van|Beek, Maas, Koster, van|Dam, Prins, Blom, Huisman, Kuipers,
  Teunissen, Theunissen, van|Kessel, Wijers, Nillesen, Lamers, Hoogland, van|Wijk, Martens, Vink, de|Ruiter,
  Timmermans, Groenen, Jonker, van|Loon, van der|Velde, Smeets, de|Lange, Bosch, van|Dongen, Schipper,
  de|Koning, van der|Laan, van|Doorn, Hermans, van den|Bosch, Evers, Hofman, Bosman, Wolters, Sanders,
  van der|Horst, Mol, Kuijpers, Molenaar, Verbeek, Cillessen, Eijkemans, Straatman, van|Gelder, van|Zutphen,
  van|Uden, van|Kempen, van|Tiel, van|Lith, van|Wamel, van|Wezel, van|Rossum, van|Megen, van|Oers, van|Deelen,
  van|Bemmel, van|Ewijk, van|Hees, van den|Hurk, van den|Akker, van den|Brink, van der|Wielen, van der|Zanden,
  van der|Loo, van der|Burgt, van der|Steen, van der|Vliet, van der|Weide, van de|Water, van de|Pol,
  van de|Laar, van de|Wetering, van de|Kamp, van de|Sande, van 't|Hof, van 't|Hullenaar, van 't|Hek, in 't|Veld,
  in 't|Hout, 't|Hart, op 't|Hoog, op den|Kamp, aan de|Stegge, uit den|Bogaard, uit het|Broek, ten|Brinke, ten|Have,
  ten|Dam, ten|Hagen, te|Wierik, ter|Haar, ter|Horst, ter|Beek, d'|Hondt, d'|Ancona, de la|Rivière, du|Croix, von|Raesfelt,
  den|Ouden, den|Hartog, den|Besten, le|Clercq, l'|Ortye, IJzerman, IJsseldijk, van|IJzendoorn, Ypma, van|Rhijn,
  van|Rijn, Rijnders, Reinders, Reijnen, Kruijssen, Kruysen, Huijbers, Huybers, Feijen, Meyer, Meijers, Wijnhoven,
  van|Nistelrooij, van|Schaijk, Bruijsten, Pijnenburg, Spijkers, Rooijakkers, Tijssen, Leijten, Geurts, Giesbers,
  Roelofs, Hubers, Loeffen, Wennekers, Coenen, Zegers, Engelen, Elbers, Burgers, Bouwman, Sengers, Poelen,
  Ariëns, Daniëls, Michiëls, Crooijmans, Boeijen, Noordewier, Dijkstra, Hoekstra, Postma, Veenstra, Terpstra,
  Zijlstra, Wiersma, Scholten, Wissink, Lansink, Reusink, Hietbrink, Oosterink, Berendsen, Evertsen, Lubbers,
  Aalbers, Wolbers, Tiemessen, Nabuurs, Verstegen, Verploegen, Vermeer, Verkerk, Verhagen, Versteeg, Vermaat,
  Stienstra, Kloosterman, Schoenmakers, Kuiper, de|Kok, de|Kleijn, de|Leeuw, de|Rooij, de|Louw, de|Klein,
  de|Beijer, de|Vaan, de|Weert, de|Waal, Otten, Otterspeer, Ockhuijsen, Quaedvlieg, Xhofleer, Swagemakers,
  Zweers, Bloemen, Bloemers, Roodbeen, Grootveld, Kleijnen, Langenhof, Lelieveld, Nijenhuis, Nijhof, Oldenhof,
  Pels Rijcken, Roosendaal-Blom, Smit-Wiersema, Kuijper-van Beek, van|Heek-Ledeboer, Hoefnagels, Schreurs, Slots,
  Tromp, Uijen, Uijttewaal, Vrijaldenhoven, Wattel, van|Wonderen, Zandvliet, Zuidgeest`);
