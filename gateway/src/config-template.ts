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

# Where agencies, quotas and the log are kept. Without this: gateway.sqlite in this folder. PostgreSQL 13 or newer,
# in a database of the gateway's own that its user owns; urlFile names a file (chmod 600) with the address:
# postgres://USER:PASSWORD@HOST:5432/DATABASE, with ?sslmode=verify-full for a server on another machine.
# Nothing is moved over from one to the other: choose before "hit-gateway agency add".
# database:
#   postgres:
#     urlFile: postgres-url

# Pages for the auditors of the federation, at BASE_URL/console. Without this there are none. Auditors log in at the
# federation's identity provider (OpenID Connect), which knows this gateway as a client with the redirect address
# BASE_URL/console/login/done and, after a logout, BASE_URL/console; it must send along a claim with roles.
# console:
#   baseUrl: https://gateway.example.nl
#   issuer: https://login.example.nl/realms/federation
#   clientId: hitmachine
#   # A file with the secret (chmod 600), or clientKeyFile: a private key in PEM for private_key_jwt.
#   clientSecretFile: client-secret
#   # Add scopes that the roles need. Dots lead into a claim: realm_access.roles.
#   scope: openid profile
#   roleClaim: roles
#   auditorRole: auditor
#   # After this time the provider is asked again who the reader is, and in which role.
#   sessionMinutes: 60
#   # A Logboek Dataverwerkingen that lookups can be sent to (OTLP/HTTP); headersFile: lines "Name: value".
#   processingLog:
#     endpoint: https://logboek.example.nl/v1/traces

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
  # A person's own request to know who asked about him or her. Its code is reserved: it goes to the registers
  # "asked-about" that every agency keeps by itself, and to no others.
  - code: subject-access
    name:
      nl: Inzageverzoek van de betrokkene
      en: Request for access by the person concerned
    legalBasis: Algemene verordening gegevensbescherming (AVG), artikel 15
    explanation:
      nl: >-
        Nagaan welke organisaties naar deze persoon hebben gevraagd, op verzoek van deze persoon zelf en
        nadat de identiteit is vastgesteld.
      en: >-
        Find out which agencies have asked about this person, at the request of this person and after
        the identity has been verified.
`;
