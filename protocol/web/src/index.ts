export type { Asset } from './assets.ts';
export { readAssets } from './assets.ts';
export type { Identity, IdentityProvider, LoginAttempt } from './login/identity-provider.ts';
export { clientProof, loginSettings, oneProof, safeUrlSchema } from './login/login-config.ts';
export type { LoginTexts } from './login/login-routes.ts';
export { loginRoutes } from './login/login-routes.ts';
export type { ClientProof, OidcOptions } from './login/provider.ts';
export { OidcProvider } from './login/provider.ts';
export type { ReaderSession, SessionOptions } from './login/reader-sessions.ts';
export { ReaderSessions, isAllowed } from './login/reader-sessions.ts';
export { CookieSeal } from './login/sealed-cookie.ts';
export type { Names } from './names.ts';
export { namesOf } from './names.ts';
export type { FrameTexts, PageFrame } from './page.ts';
export { framed, framedInParts } from './page.ts';
export type { PageRoute } from './page-app.ts';
export { pageApp } from './page-app.ts';
export type { Chart, Series } from './parts/chart.ts';
export { MAX_SERIES, stackedColumns, stackedRows } from './parts/chart.ts';
export { csvLine } from './parts/csv.ts';
export { DAY_MS, dayOf, daysBetween } from './parts/days.ts';
export { illustrated, tiles } from './parts/figure.ts';
export type { Choice } from './parts/form-choice.ts';
export { checkboxes, errorSummary, radios, textArea } from './parts/form-choice.ts';
export type { Option, OptionGroup, TextField } from './parts/form.ts';
export {
  button,
  buttonLink,
  checkbox,
  fileField,
  link,
  selectField,
  submit,
  textField,
} from './parts/form.ts';
export type { Html } from './parts/html.ts';
export { NOTHING, attribute, flag, html, raw } from './parts/html.ts';
export type { Language } from './parts/language.ts';
export {
  LANGUAGES,
  TIME_ZONE,
  dayText,
  isLanguage,
  numberText,
  percentText,
  shortDayText,
  timeText,
} from './parts/language.ts';
export type { MessageKind } from './parts/message.ts';
export { badge, code, codeBlock, heading, message, paragraph, verdict } from './parts/message.ts';
export { paging } from './parts/paging.ts';
export type { PeriodForm } from './parts/period.ts';
export { QUICK_PERIODS, momentsOf, quickPeriodPath, readPeriod } from './parts/period.ts';
export { shares } from './parts/shares.ts';
export type { Column, Table } from './parts/table.ts';
export { dataList, dataTable } from './parts/table.ts';
export { momentOf, wallTime } from './parts/wall-time.ts';
export type { ProblemTexts } from './problem-page.ts';
export { problemPage } from './problem-page.ts';
export type { Site } from './site.ts';
export {
  LANGUAGE_FIELD,
  download,
  languageOf,
  loginPaths,
  queryOf,
  readSession,
  safeReturn,
  filesOf,
  toLogin,
} from './site.ts';
