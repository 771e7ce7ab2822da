/** Kinds of agencies, as a policy speaks of them. */
export const agencyKinds = [
  'municipality',
  'police',
  'prosecution',
  'probation',
  'prison-service',
  'mental-health',
  'addiction-care',
  'domestic-violence-centre',
  'housing-association',
  'youth-protection',
  'youth-care',
  'school',
  'debt-counselling',
  'shelter',
  'public-health-service',
  'safety-house',
  'research',
  'other',
] as const;
export type AgencyKind = (typeof agencyKinds)[number];
