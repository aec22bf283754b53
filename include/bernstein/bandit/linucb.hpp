#pragma once
// One arm of LinUCB with disjoint linear models: how good it is expected to be in a context, and how little is known.
//
//     LinearModel model(experience, ridge_ppm);
//     Estimate e = model.at(context);
//     double score = upper_bound(e, alpha);          // the arm with the highest one is chosen
//
// Li, Chu, Langford & Schapire 2010, "A contextual-bandit approach to personalized news article recommendation",
// Algorithm 1, for each arm:
//     A = ridge·I + Σ x xᵀ      b = Σ r x      θ = A⁻¹ b      score = θᵀx + alpha·sqrt(xᵀ A⁻¹ x)
// The paper has ridge 1, and alpha = 1 + sqrt(ln(2/δ)/2) for its bound; a smaller one explores less.
//
// The sums Σ x xᵀ and Σ r x are kept as integers (ArmExperience), in which every order of adding up gives the same, and
// nothing drifts. From them A is factored anew after each reward, A = L Lᵀ (Cholesky). So there is no inverse that is
// updated step by step (Sherman & Morrison 1950), which would have to be made symmetric again as errors add up.
//
// The same bits on every machine: IEEE doubles, sums in a fixed order, without fused or vector operations.

#include <array>
#include <cstdint>

#include "bernstein/bandit/features.hpp"
#include "bernstein/event/spec.hpp"

namespace bernstein {

struct Estimate {
  double mean = 0;       // θᵀx: the expected reward, as far as it is linear
  double deviation = 0;  // sqrt(xᵀ A⁻¹ x): its standard deviation, for rewards whose own is 1
};

inline double upper_bound(const Estimate& estimate, double alpha) {
  return estimate.mean + alpha * estimate.deviation;
}

// Whether the sums are such as contexts have: what was read from somewhere may not be.
bool can_be_fitted(const ArmExperience& experience, std::int64_t ridge_ppm);

class LinearModel {
 public:
  // ridge_ppm > 0: the weight of the prior θ = 0, in millionths. An experience that is empty gives the prior. Requires
  // that it can_be_fitted().
  LinearModel(const ArmExperience& experience, std::int64_t ridge_ppm);

  Estimate at(const Context& context) const;

  using Vector = std::array<double, k_dimension>;
  const Vector& theta() const { return theta_; }  // by component of the context

 private:
  std::array<double, k_dimension * k_dimension> factor_{};  // L by columns
  Vector theta_{};
};

}  // namespace bernstein
