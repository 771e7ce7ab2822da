/**
 * Claims all charges or none. A counter is a hash: `e` the end of its window, `u` what is used, `i` a random name of
 * this window of it. ARGV: `claim` or `look`, a random name for windows that begin, and for each key amount, limit, end
 * of the window, and milliseconds for which the counter is kept. Gives the place of the first charge that does not fit,
 * from 1, or 0 and the names of the windows that were charged.
 */
export const CLAIM = `
local counters, names = {}, {}
for i, key in ipairs(KEYS) do
  local at = 3 + (i - 1) * 4
  local amount, limit, ends = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), ARGV[at + 2]
  local counter = counters[key]
  if not counter then
    local kept = redis.call('HMGET', key, 'e', 'u', 'i')
    counter = { e = kept[1] or '0', u = tonumber(kept[2] or '0'), i = kept[3] or ARGV[2], ttl = 0 }
    counters[key] = counter
  end
  if tonumber(counter.e) < tonumber(ends) then
    counter.e, counter.u, counter.i = ends, 0, ARGV[2]
  end
  counter.u = counter.u + amount
  if counter.u > limit then return { i } end
  counter.ttl = math.max(counter.ttl, tonumber(ARGV[at + 3]))
  names[i] = counter.i
end
if ARGV[1] == 'claim' then
  for key, counter in pairs(counters) do
    redis.call('HSET', key, 'e', counter.e, 'u', string.format('%.0f', counter.u), 'i', counter.i)
    if redis.call('PTTL', key) < counter.ttl then
      redis.call('PEXPIRE', key, string.format('%.0f', counter.ttl))
    end
  end
end
return { 0, unpack(names) }
`;

/** Takes charges off again, where the window is still the one that was charged. ARGV: name and amount for each key. */
export const GIVE_BACK = `
for i, key in ipairs(KEYS) do
  if redis.call('HGET', key, 'i') == ARGV[i * 2 - 1] then
    redis.call('HINCRBY', key, 'u', '-' .. ARGV[i * 2])
  end
end
return 0
`;

/** Keeps a sealed lookup. ARGV: the lookup, and milliseconds for which it is kept. */
export const KEEP_LOOKUP = `
redis.call('HSET', KEYS[1], 's', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 0
`;

/**
 * Claims a question to each of some nodes, all or none. ARGV: how often one may be asked, then the name of each. Gives
 * -1 without the lookup, the place of the first that was asked too often, from 1, or 0.
 */
export const CLAIM_QUESTIONS = `
if redis.call('HEXISTS', KEYS[1], 's') == 0 then return -1 end
local most, asked = tonumber(ARGV[1]), {}
for i = 2, #ARGV do
  local name = ARGV[i]
  local times = (asked[name] or tonumber(redis.call('HGET', KEYS[1], name) or '0')) + 1
  if times > most then return i - 1 end
  asked[name] = times
end
for name, times in pairs(asked) do redis.call('HSET', KEYS[1], name, times) end
return 0
`;

/** Puts a replica's record among the others and gives all. ARGV: its name, the record, milliseconds for all to be kept. */
export const MEET = `
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return redis.call('HGETALL', KEYS[1])
`;
