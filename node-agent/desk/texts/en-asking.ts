import type { Texts } from './nl.ts';

/** The pages of professionals, in English. */
export const askingTexts: Pick<
  Texts,
  | 'askingService'
  | 'askingFooter'
  | 'askingPages'
  | 'purposes'
  | 'ask'
  | 'preview'
  | 'answers'
  | 'approvals'
  | 'own'
  | 'askedOfUs'
  | 'noteFile'
> = {
  askingService: 'Hitmachine',
  askingFooter:
    'Every question is logged: here, at the gateway and at the agencies that you ask. The gateway and the other agencies do not learn whom it is about.',
  askingPages: {
    ask: 'New question',
    approvals: 'Approve',
    own: 'My questions',
    batch: 'Many households',
    askedOfUs: 'Asked of us',
    privacy: 'Pages for privacy',
    asking: 'To my questions',
  },

  purposes: {
    title: 'What do you want to ask for?',
    lead: 'You learn only whether somebody is known to a register, and whom you can call. Choose the purpose that fits: it says whom you may ask.',
    legalBasis: 'Legal basis',
    choose: 'Choose this purpose',
    approval: 'A colleague has to approve your question first.',
    none: 'You cannot ask anything yet',
    noneBody:
      'The policy of the federation has no purpose for which you may ask in your role and at your agency. Ask your manager or the administrator.',
  },

  ask: {
    title: 'New question',
    purpose: 'Purpose',
    otherPurpose: 'Choose another purpose',
    legalBasis: 'Legal basis',
    statements: 'Confirm that this is so',
    statementsHelp: 'If you cannot confirm something, you may not ask this question.',
    role: 'Your role',
    case: 'The case',
    caseReference: 'Your reference of the case',
    caseReferenceHelp: 'Such as ZVH-2026-0117. Stays at your agency.',
    person: (number: number) => `Person ${number}`,
    personHelp:
      'Fill in what you know. One way is enough: the number, or the name with the date of birth, or the address. Each register searches by what it holds itself, so more is better.',
    bsn: 'Citizen service number',
    bsnHelp: 'Nine digits',
    bsnRight: 'This number can exist.',
    bsnWrong: 'This number is not right: one or more digits are others.',
    surname: 'Surname',
    prefix: 'Prefix',
    givenNames: 'Given names',
    birthDate: 'Date of birth',
    birthDateHelp: 'Such as 31-12-1975. Unknown day or month: 00.',
    postcode: 'Postcode',
    number: 'House number',
    letter: 'House letter',
    addition: 'Addition',
    address: 'Address',
    name: 'Name and date of birth',
    label: 'Your own label',
    labelHelp: 'May stay empty. Stands on your screen and in your note.',
    addPerson: 'Another person',
    removePerson: (number: number) => `Remove person ${number}`,
    pasteTitle: 'Paste persons from a spreadsheet',
    pasted: 'Rows of the spreadsheet',
    pastedHelp:
      'One person a line. With a first row such as “bsn, surname, given names, birth date, postcode, number”, or without: then it is recognised.',
    paste: 'Put into the form',
    grounds: 'A colleague looks along',
    groundsHelp: 'For this purpose a second professional has to approve the question before it is asked.',
    approval: 'Lay the question before a colleague',
    approvalHelp: 'A colleague with the same powers sees it under “Approve”, for an hour at most.',
    breakGlass: 'There is need: ask now, without approval',
    breakGlassHelp:
      'You get an answer at once. Every agency sees that you asked without approval, the privacy officer sees your reason, and somebody else reviews within two days whether it was justified.',
    reason: 'Why can it not wait?',
    reasonHelp: 'Stays at your agency. Write down no names or numbers.',
    check: 'See who will be asked',
    nothingAsked: 'Nothing has been asked yet.',
    mistakes: 'Something is not right yet. Nothing was asked.',
    mistake: {
      statements: 'Confirm every statement.',
      caseReference: 'Fill in the reference by which you know this case.',
      bsn: 'A citizen service number has nine digits and passes the 11-test. See whether a digit is another.',
      surname: 'Fill in the surname, in letters.',
      birthDate: 'Fill in a date that exists, such as 31-12-1975, with 00 for what you do not know.',
      birthDateMissing: 'With a name fill in the date of birth too; otherwise it cannot be searched by.',
      postcode: 'Fill in a postcode and a house number, such as 6511 AA and 12.',
      identifier: 'This cannot be used as it is. Leave it empty or correct it.',
      nobody: 'Fill in a number, or a name with a date of birth, or a postcode with a house number.',
      persons: 'These are more persons than this purpose allows at once. Divide them over more questions.',
      pasted:
        'Nothing was recognised in it. Paste rows with a number, a name with a date of birth, or an address.',
      grounds: 'Choose whether a colleague looks along or there is need.',
      reason: 'Write in a few words why it cannot wait.',
    },
    loggedOut: 'Your login has ended',
    loggedOutBody: 'What you filled in is still here, and nowhere else. Nothing was asked.',
    loggedOutLink: 'Log in (in a new tab)',
    loggedOutNext: 'Come back to this page after that and press the button again.',
    backTitle: 'You are logged in',
    backBody: 'Close this tab. Your question still stands in the other one.',
    stale: 'See first whether this question was asked already',
    staleBody:
      'This form is older than an hour, or the system was started again meanwhile. “My questions” has what was asked. If your question is not there, just send it again.',
    refused: 'This question cannot be asked',
    offline:
      'There is no connection to the system of your agency. What you filled in is still here. Try again in a moment.',
    busy: 'One moment …',
  },

  preview: {
    title: 'Is this right?',
    lead: 'Nothing has been asked yet. See whether this is what you want.',
    who: 'Who will be asked',
    register: 'Register',
    area: 'Area of life',
    asked: 'is asked',
    notAsked: 'is not asked',
    nobody: 'There is no register that you may ask about these persons.',
    told: 'What others get to see',
    toldBody: (agency: string) =>
      `The agencies that you ask see that ${agency} asks, for which purpose, in which role and about how many persons. They do not see whom it is about, nor whether there is a hit.`,
    send: 'Ask the question',
    sendToColleague: 'Lay before a colleague',
    sendInNeed: 'Ask now, without approval',
    change: 'Change something',
    inNeed: 'You ask without approval',
    inNeedBody:
      'This will stand in three logs: here, at the gateway and at every agency that you ask. Somebody else reviews within two days whether it was justified.',
  },

  answers: {
    title: 'Who knows this person?',
    titleHousehold: 'Who knows these persons?',
    running: 'The answers come in one by one.',
    waitingFor: 'No answer yet',
    register: 'Register',
    answer: 'Answer',
    contact: 'Whom you can call',
    statuses: {
      known: 'known',
      'not-known': 'not known',
      'no-answer': 'no answer',
      refused: 'refused',
      invalid: 'invalid answer',
      'not-asked': 'not asked',
      pending: 'no answer yet',
    },
    complete: 'All registers have answered',
    completeBody: (known: number, persons: number) => {
      const whom = persons === 1 ? 'this person' : 'one or more of these persons';
      if (known === 0)
        return `No register knows ${persons === 1 ? whom : 'any of these persons'}, by what you filled in.`;
      return known === 1 ? `One register knows ${whom}.` : `${known} registers know ${whom}.`;
    },
    incomplete: 'Not all registers have answered',
    incompleteBody:
      '“No answer” is something else than “not known”: somebody may well be known there. Ask again, or call.',
    refusedBody:
      '“Refused” is something else than “not known”: somebody may well be known there. The reason stands beside it. Call that agency if this case needs the answer.',
    again: (count: number) => (count === 1 ? 'Ask that one again' : `Ask those ${count} registers again`),
    againHelp: 'This does not count for the number of persons that you may ask about.',
    tooLate: 'This question is too old to ask only those registers again. Ask a new one.',
    missing: (names: string) => `Was on the roster before and is not any more: ${names}.`,
    call: 'When you call',
    callBody: (agency: string, purpose: string) =>
      `Say that you call for ${agency}, for the purpose “${purpose}”, and name the reference below. Your colleague there sees in the agency’s own log that a question was asked, and not about whom. Share no more than this purpose needs.`,
    reference: 'Reference of the lookup',
    legalBasis: 'Legal basis',
    case: 'Case',
    askedAt: 'Asked at',
    approvedBy: 'Approved by',
    inNeed: 'Without approval, in need',
    notAsked: 'Not asked',
    notAskedLead: 'Not asked is something else than not known.',
    note: 'For the case file',
    noteLead: 'A note with what came out, the reference and the proof from the gateway’s log.',
    notePdf: 'Note as PDF',
    noteText: 'Note as text',
    print: 'Print this page, or keep a note. The telephone numbers stand here for an hour at most.',
    next: 'New question',
    failed: 'The question was not asked',
    failedBody: 'You know nothing about these persons now: not that they are not known somewhere either.',
    againFailed: 'Asking again did not work',
    partlyFailed: 'Not everything could be asked',
    retry: 'Try again',
    failures: {
      'quota-exceeded':
        'You or your agency has reached the maximum of lookups, or has to wait for a moment. Try again later.',
      'gateway-unreachable': 'The gateway cannot be reached now. Try again in a few minutes.',
      'log-inconsistent':
        'There is an alarm about the gateway’s log. Nothing is asked until it is resolved. Tell your administrator.',
      'not-ready': 'The system is not ready yet. Try again in a few minutes.',
      'storage-failed':
        'The question could not be logged, and what cannot be logged is not asked. Tell your administrator.',
      'unknown-lookup': 'This question is too old to be asked again. Ask a new one.',
      other: 'Give your administrator this code:',
    },
    awaiting: 'Your question waits for a colleague',
    awaitingBody:
      'Nothing has been asked yet. Ask a colleague to log in and look under “Approve”. After an hour the question lapses.',
    look: 'Look again',
    declined: 'Your question was not approved',
    declinedBody: (by: string | undefined) =>
      by === undefined ? 'Nobody looked at it in time. Nothing was asked.' : `By ${by}. Nothing was asked.`,
    gone: 'This question does not stand here any more',
    goneBody:
      'What came out stands on the screen for an hour at most, and is gone when the system starts again. What was asked and what came out stands under “My questions”.',
    matchedOnAddress: 'found by the address: it may be somebody else of the household',
    personOf: (label: string, number: number) => (label === '' ? `Person ${number}` : label),
  },

  approvals: {
    title: 'Approve',
    lead: 'Questions of colleagues that a second professional has to look at. Does the purpose fit, is the case right, and is every person needed?',
    none: 'Nothing is waiting',
    noneBody: 'No colleague waits for your approval.',
    one: (who: string) => `Question of ${who}`,
    since: 'Since',
    statements: 'Confirmed',
    persons: 'Persons',
    approve: 'Approve and ask',
    decline: 'Do not approve',
    decided: { approved: 'Approved', declined: 'Not approved', gone: 'This question waits no longer' },
    decidedBody: {
      approved:
        'The question is asked now. Your name stands with it in the log. Your colleague sees the answers.',
      declined: 'Nothing was asked. Your colleague sees that you did not approve it.',
      gone: 'Somebody else looked at it, or it lapsed.',
    },
  },

  own: {
    title: 'My questions',
    lead: 'What you have asked, from your agency’s own log. Only you and the privacy officer see this.',
    period: 'Period',
    from: 'From',
    to: 'Up to and including',
    submit: 'Show',
    mistake: 'Fill in a beginning and an end, with at most 92 days between them.',
    none: 'Nothing found',
    noneBody: 'You have asked nothing in this period.',
    columns: { time: 'Asked at', purpose: 'Purpose', case: 'Case', persons: 'Persons', status: 'State' },
    one: (time: string) => `Asked at ${time}`,
    removed: 'Answers are kept no longer than the case needs. For this purpose that time is over.',
    unfinished: 'This question was not finished: you know nothing from it.',
    kept: (day: string) => `The answers are kept up to and including ${day}.`,
    contacts: 'Telephone numbers are not here: each register gave those at the moment itself.',
    back: 'Back to my questions',
  },

  askedOfUs: {
    title: 'Asked of us',
    lead: 'How often other agencies asked something of your agency, by month, purpose and agency. Nobody at your agency can see whom it was about.',
    small: 'fewer than 10',
    atLeast: (count: string) => `${count} or more`,
    columns: { month: 'Month', agency: 'Agency', purpose: 'Purpose', persons: 'Persons' },
    rounded: 'Numbers are rounded down to tens, and what is below ten is not told exactly.',
    none: 'Nothing yet',
    noneBody: 'Your agency was asked nothing in these months.',
  },

  noteFile: {
    title: 'Note for the case file',
    lead: 'Found out to which registers somebody is known. The agencies have said nothing but what stands here.',
    purpose: 'Purpose',
    legalBasis: 'Legal basis',
    caseReference: 'Case',
    agency: 'Agency',
    professional: 'Asked by',
    approvedBy: 'Approved by',
    inNeed: 'Asked without approval, in need',
    askedAt: 'Asked at',
    lookupId: 'Reference of the lookup',
    yes: 'yes',
    notAsked: 'not asked',
    warning: 'No answer is something else than not known.',
    receipt: 'Proof that this lookup stands in the gateway’s log',
    receiptHelp: 'Keep the lines below in a file; to be checked with: hit-agent receipt verify FILE',
    noReceipt: 'The proof is not available yet.',
    page: (page: number, pages: number) => `Page ${page} of ${pages}`,
  },
};
