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
