// Where to clip a number that is known to follow a distribution, in closed form.
#pragma once

namespace halftone {

// The bound alpha that minimizes the expected squared error of rounding to 2^bits codes spread evenly over
// [-alpha, alpha] (or [0, alpha], one-sided: the positive half of the distribution alone), for a distribution of
// spread 1, that is Laplace with E|x| = 1 or the normal distribution of variance 1:
//   2 * integral from alpha of f(x) (x - alpha)^2 dx + alpha^2 / (3 * 4^bits).
// It takes the rounding error for even all over the range, as the paper does. One-sided, clipping and rounding both
// halve with one bit more for rounding, so that the bound is that of bits + 1.
// Source: Banner et al. 2019, arXiv 1810.05723, section 3.1.
//
// Laplace: the derivative vanishes where alpha * exp(alpha) = 3 * 4^bits, at Lambert's W.
double aciq_laplace(int bits, bool one_sided);
// Normal: the root of alpha * erfc(alpha / sqrt(2)) - sqrt(2 / pi) * exp(-alpha^2 / 2) + alpha / (3 * 4^bits).
double aciq_gauss(int bits, bool one_sided);

}  // namespace halftone
