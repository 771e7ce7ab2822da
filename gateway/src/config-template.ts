/** What `hit-gateway init` writes as `gateway.yaml`: every setting, with what it means. */
export const configTemplate = (values: { readonly federation: string; readonly listen: string }): string => `\
# The gateway of a federation. Restart the gateway after a change; settings and purposes then go to
# all agencies with the next version of the roster.

# Name of the federation: lower-case letters, digits and hyphens. Cannot be changed later.
federation: ${values.federation}

# Where to listen. Put a reverse proxy with TLS in front when agencies connect over a network.
listen: '${values.listen}'

# What opens the key store: a file of 32 random bytes, or passphraseFile: a file that holds a passphrase.
# Paths are relative to this folder. Keep a copy apart from the backup of this folder.
keyFile: key-file

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

# What an agency or a professional may ask. Every node has quotas of its own beside these.
quotas:
  personsPerAgencyPerDay: 2000
  personsPerProfessionalPerDay: 300
  lookupsPerAgencyPerMinute: 120

# Why may be asked. The legal basis is shown to the professional with every lookup. These are examples:
# have them checked by the privacy officers of the federation before use.
purposes:
  - code: casusoverleg-zvh
    name:
      nl: Casusoverleg Zorg- en Veiligheidshuis
      en: Case conference of the safety house
    legalBasis: Wet gegevensverwerking door samenwerkingsverbanden (WGS), Zorg- en Veiligheidshuizen
    explanation:
      nl: >-
        Nagaan welke organisaties betrokken zijn bij een persoon of gezin met problemen op meerdere
        leefgebieden, ter voorbereiding van een casusoverleg.
      en: >-
        Find out which agencies are involved with a person or family that has problems on several
        areas of life, in preparation of a case conference.
  - code: huiselijk-geweld
    name:
      nl: Onderzoek na melding huiselijk geweld of kindermishandeling
      en: Inquiry after a report of domestic violence or child abuse
    legalBasis: Wet maatschappelijke ondersteuning 2015, artikel 4.1.1 (Veilig Thuis)
    explanation:
      nl: Nagaan welke organisaties betrokken zijn, na een melding bij Veilig Thuis.
      en: Find out which agencies are involved, after a report to Veilig Thuis.
  - code: jeugdbescherming
    name:
      nl: Jeugdbescherming en jeugdreclassering
      en: Youth protection and youth probation
    legalBasis: Jeugdwet
    explanation:
      nl: >-
        Nagaan welke organisaties betrokken zijn bij een jeugdige of het gezin, voor de uitvoering van
        een kinderbeschermingsmaatregel of jeugdreclassering.
      en: >-
        Find out which agencies are involved with a young person or the family, to carry out a child
        protection measure or youth probation.
`;
