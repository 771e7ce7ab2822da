/** ln(n!), by Stirling's series; exact to some 1e-8 for the numbers that tables have. */
function logFactorial(n: number): number {
  if (n < 20) {
    let product = 1;
    for (let i = 2; i <= n; i++) product *= i;
    return Math.log(product);
  }
  return (
    n * Math.log(n) -
    n +
    Math.log(2 * Math.PI * n) / 2 +
    1 / (12 * n) -
    1 / (360 * n ** 3) +
    1 / (1_260 * n ** 5)
  );
}

/** P(X > k) for X binomial with n trials of chance p: the sum of its terms, largest first. */
export function binomialTail(n: number, p: number, k: number): number {
  if (k >= n) return 0;
  const first = k + 1;
  let term = Math.exp(
    logFactorial(n) -
      logFactorial(first) -
      logFactorial(n - first) +
      first * Math.log(p) +
      (n - first) * Math.log1p(-p),
  );
  let sum = 0;
  for (let i = first; i <= n && term > sum * 1e-15; i++) {
    sum += term;
    term *= ((n - i) / (i + 1)) * (p / (1 - p));
  }
  return sum;
}
