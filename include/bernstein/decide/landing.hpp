#pragma once
// The landing queue: what is put together, checked and landed next, and who is left out.
//
// Attempts whose work is captured and their own wait in the queue (LandingKey: priority, ageing, arrival). From its
// front they join the chain (state/chain.hpp), where each has a candidate: the commit that would stand on the target if
// it and those ahead of it landed. Candidates are computed in memory; what is checked is what lands, by commit id.
//
//   strict (default)       every candidate passes its own checks before it lands: every commit on the target is green.
//                          The chain is as long as there are check slots (landing.max_checks); slots beyond the first
//                          speculate, on the candidates that are most probably needed: those at the front.
//   skip_intermediate      one check speaks for a batch of candidates; it begins when the batch is full or nobody else
//                          can join it. Green: all of them land. Red: the batch is searched by halves for the first
//                          that is red on a green one (what is known is not checked again); it leaves, and those behind
//                          it are put together without it, and with others. Slots beyond the first check the next batch
//                          or split the search, whichever is more probably needed. The commits inside of a batch may be
//                          red on the target; its last is green, unless somebody moved the target before it landed.
//
// Whoever fails keeps its place until it is the front and stands on the target as it is; only then it is judged:
//
//   it conflicts             the ladder of decide/retry.hpp
//   it fails a gate          unless the gate is known to pass on the target, the target itself is checked first. When
//                            that is red, nobody is blamed: the attempt is held until the target has moved or the run
//                            is resumed
//   it fails one of its own  the attempt failed
//   it fails another's       with a batch: it is checked once more, for itself
//
// A red command is run once more before it counts when it is flaky: by its user's word (`flaky: true`), by an earlier
// contradiction, or because it has passed on this very tree.
//
// Sources: bors-ng's batches and bisection; Zuul's nearest non-failing item ahead; the costs of batches with inference
// are the expected number of runs of the search below for independent failures.

#include <cstdint>

#include "bernstein/state/run_state.hpp"

namespace bernstein {

inline constexpr std::uint32_t k_batch_max = 16;  // that is chosen; a person may ask for more

// The chance that a candidate fails, by what came of those before it: the mean of a Beta distribution that starts at
// one failure in ten. In parts per million, above 0 and below 1,000,000.
std::int64_t failure_chance_ppm(const RunState& state);

// Expected runs of a check for each candidate of a long queue that is checked in batches of `n`, in millionths of a
// run, where each fails by itself with the chance `failure_ppm`. n >= 1. Measured: docs/benchmarks.md.
std::int64_t runs_per_candidate_ppm(std::uint32_t n, std::int64_t failure_ppm);

// The batch that costs least, at most k_batch_max; the smallest of several.
std::uint32_t best_batch(std::int64_t failure_ppm);

// How many candidates one check may speak for now.
std::uint32_t batch_size(const RunState& state);

}  // namespace bernstein
