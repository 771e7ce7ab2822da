/** What `hit-gateway init` writes as `policy.yaml`: a policy to begin with, every setting with what it means. */
export const policyTemplate = `\
# yaml-language-server: $schema=./policy.schema.json
# What the federation has agreed on: who may ask what, and why. The gateway takes this file at its first start;
# afterwards "hit-gateway policy publish policy.yaml" puts a changed one in force, with a higher version.
# The purposes are examples: have them checked by the privacy officers of the federation before use.
version: 1

settings:
  # What may be matched on, each with the bits of a bucket number that a question may show to a node.
  # The bits of all types together are at most 10.
  tokenTypes:
    bsn: 6
    name+birthdate: 4
    address: 0
  # Whether every lookup comes with a proof that the published key was used. Imports always do.
  lookupProof: true
  # Persons in one lookup, at most 32.
  maxPersons: 32
  # Milliseconds that a node has to answer.
  answerTimeoutMs: 5000

# Kinds of agencies that may use a token type, to ask and to answer by. Who is not named never sees one.
# tokenRights:
#   bsn: [municipality, police, mental-health, youth-protection]

areasOfLife:
  - { code: onderwijs, name: { nl: Onderwijs, en: Education } }
  - { code: inkomen, name: { nl: Inkomen en schulden, en: Income and debts } }
  - { code: wonen, name: { nl: Wonen, en: Housing } }
  - { code: welzijn, name: { nl: Welzijn, en: Welfare } }
  - { code: opvoeding, name: { nl: Opvoeding en jeugd, en: Upbringing and youth } }
  - { code: zorg, name: { nl: Zorg, en: Care } }
  - { code: gezondheid, name: { nl: Gezondheid, en: Health } }
  - { code: veiligheid, name: { nl: Veiligheid, en: Safety } }
  - { code: veiligheid-thuis, name: { nl: Veiligheid thuis, en: Safety at home } }
  - { code: justitie, name: { nl: Justitie, en: Justice } }
  # Where the registers "asked-about" stand, which every agency keeps by itself.
  - { code: subject-access, name: { nl: Eigen bevragingen, en: Own lookups } }

roles:
  - { code: information-coordinator, name: { nl: Informatiecoördinator, en: Information coordinator } }
  - { code: process-director, name: { nl: Procesregisseur, en: Process director } }
  - { code: case-worker, name: { nl: Casusregisseur of hulpverlener, en: Case worker } }
  - { code: privacy-officer, name: { nl: Functionaris gegevensbescherming, en: Privacy officer } }

# Persons that may be asked about. Every node has limits of its own beside these.
quotas:
  agency: { minute: 240, day: 2000 }
  professional: { minute: 60, day: 300 }

# Days that every agency keeps the content of its own log, at least.
logRetentionDays: 1826
# Days between the announcement of an agency's new keys and their use, at least.
keyOverlapDays: 7

# When asking looks like something else than work on a case: see deploy/policies/README.md. What is left out
# has the value that is written there.
signals:
  burst: 60
  slowDownSeconds: 30

purposes:
  - code: casusoverleg-zvh
    name:
      nl: Casusoverleg Zorg- en Veiligheidshuis
      en: Case conference of the safety house
    legalBasis: Wet gegevensverwerking door samenwerkingsverbanden (Wgs)
    reference: Wgs, hoofdstuk 2, Zorg- en Veiligheidshuizen (artikelen na te gaan)
    explanation:
      nl: >-
        Nagaan welke organisaties betrokken zijn bij een persoon of gezin met problemen op meerdere
        leefgebieden, ter voorbereiding van een casusoverleg.
      en: >-
        Find out which agencies are involved with a person or family that has problems on several
        areas of life, in preparation of a case conference.
    askers:
      kinds: &everybody
        - municipality
        - police
        - prosecution
        - probation
        - prison-service
        - mental-health
        - addiction-care
        - domestic-violence-centre
        - housing-association
        - youth-protection
        - youth-care
        - debt-counselling
        - shelter
        - safety-house
        - other
      roles: [information-coordinator, process-director, case-worker]
    asked:
      areasOfLife: &everywhere
        - onderwijs
        - inkomen
        - wonen
        - welzijn
        - opvoeding
        - zorg
        - gezondheid
        - veiligheid
        - veiligheid-thuis
        - justitie
    # What the professional confirms, all of it, before the question goes out.
    statements:
      - code: problemen
        text:
          nl: Er zijn problemen bij deze persoon of binnen dit gezin.
          en: There are problems of this person or within this family.
      - code: leefgebieden
        text:
          nl: De problemen liggen op meerdere leefgebieden en er zijn criminogene factoren.
          en: The problems are on several areas of life and there are criminogenic factors.
      - code: overlast
        text:
          nl: Zij leiden of kunnen leiden tot ernstige overlast, criminaliteit of onveilige situaties.
          en: They lead or would lead to serious nuisance, crime or unsafe situations.
      - code: domeinen
        text:
          nl: Voor een oplossing zijn partners uit verschillende domeinen nodig.
          en: A solution needs partners from several domains.
    tokenTypes: &all [bsn, name+birthdate, address]
    maxPersons: 32
    retention: { lookupDays: 1826, answerDays: 90 }
  - code: huiselijk-geweld
    name:
      nl: Onderzoek na melding huiselijk geweld of kindermishandeling
      en: Inquiry after a report of domestic violence or child abuse
    legalBasis: Wet maatschappelijke ondersteuning 2015 (Wmo 2015)
    reference: Wmo 2015, artikel 4.1.1 (Veilig Thuis)
    explanation:
      nl: Nagaan welke organisaties betrokken zijn, na een melding bij Veilig Thuis.
      en: Find out which agencies are involved, after a report to Veilig Thuis.
    askers:
      kinds: [domestic-violence-centre, other]
      roles: [information-coordinator, case-worker]
    asked: { areasOfLife: *everywhere }
    statements:
      - code: melding
        text:
          nl: Er is een melding gedaan die dit onderzoek nodig maakt.
          en: A report was made that makes this inquiry necessary.
    tokenTypes: *all
    maxPersons: 16
    retention: { lookupDays: 1826, answerDays: 90 }
  - code: jeugdbescherming
    name:
      nl: Jeugdbescherming en jeugdreclassering
      en: Youth protection and youth probation
    legalBasis: Jeugdwet
    reference: Jeugdwet, hoofdstuk 3 (verdere artikelen na te gaan)
    explanation:
      nl: >-
        Nagaan welke organisaties betrokken zijn bij een jeugdige of het gezin, voor de uitvoering van
        een kinderbeschermingsmaatregel of jeugdreclassering.
      en: >-
        Find out which agencies are involved with a young person or the family, to carry out a child
        protection measure or youth probation.
    askers:
      kinds: [youth-protection, other]
      roles: [information-coordinator, case-worker]
    asked: { areasOfLife: *everywhere }
    tokenTypes: *all
    maxPersons: 16
    retention: { lookupDays: 1826, answerDays: 90 }
  # A person's own request to know who asked about him or her. Its code is reserved: it goes to the registers
  # "asked-about" that every agency keeps by itself, and to no others.
  - code: subject-access
    name:
      nl: Inzageverzoek van de betrokkene
      en: Request for access by the person concerned
    legalBasis: Algemene verordening gegevensbescherming (AVG)
    reference: AVG, artikel 15
    explanation:
      nl: >-
        Nagaan welke organisaties naar deze persoon hebben gevraagd, op verzoek van deze persoon zelf en
        nadat de identiteit is vastgesteld.
      en: >-
        Find out which agencies have asked about this person, at the request of this person and after
        the identity has been verified.
    askers: { kinds: *everybody, roles: [privacy-officer] }
    asked: { areasOfLife: [subject-access] }
    tokenTypes: *all
    maxPersons: 1
    retention: { lookupDays: 1826, answerDays: 0 }
`;
