#include "bernstein/bandit/linucb.hpp"

// Vector instructions differ between machines in how many terms they add at a time, and so in the last bit.
#define EIGEN_DONT_VECTORIZE
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>

#include "bernstein/base/check.hpp"

namespace bernstein {
namespace {

constexpr auto k_size = static_cast<Eigen::Index>(k_dimension);
using Matrix = Eigen::Matrix<double, k_size, k_size>;
using Column = Eigen::Matrix<double, k_size, 1>;

constexpr double k_context_unit = 1e3;  // of a Context
constexpr double k_gram_unit = 1e6;     // of ArmExperience::gram
constexpr double k_moment_unit = 1e9;   // of ArmExperience::moment
constexpr double k_ridge_unit = 1e6;

Matrix gram_of(const ArmExperience& experience, std::int64_t ridge_ppm) {
  Matrix a = Matrix::Zero();
  auto sum = experience.gram.begin();
  for (Eigen::Index row = 0; row < k_size && !experience.gram.empty(); ++row) {
    for (Eigen::Index column = row; column < k_size; ++column) {
      a(row, column) = a(column, row) = static_cast<double>(*sum++) / k_gram_unit;
    }
  }
  a.diagonal().array() += static_cast<double>(ridge_ppm) / k_ridge_unit;
  return a;
}

Column moment_of(const ArmExperience& experience) {
  Column b = Column::Zero();
  for (Eigen::Index i = 0; i < k_size && !experience.moment.empty(); ++i) {
    b(i) = static_cast<double>(experience.moment[static_cast<std::size_t>(i)]) / k_moment_unit;
  }
  return b;
}

}  // namespace

bool can_be_fitted(const ArmExperience& experience, std::int64_t ridge_ppm) {
  return Eigen::LLT<Matrix>(gram_of(experience, ridge_ppm)).info() == Eigen::Success;
}

LinearModel::LinearModel(const ArmExperience& experience, std::int64_t ridge_ppm) {
  const Eigen::LLT<Matrix> cholesky(gram_of(experience, ridge_ppm));
  BERNSTEIN_CHECK(cholesky.info() == Eigen::Success, "a sum of squares and a ridge above 0 have a Cholesky factor");
  Eigen::Map<Matrix>(factor_.data()) = cholesky.matrixL();
  Eigen::Map<Column>(theta_.data()) = cholesky.solve(moment_of(experience));
}

Estimate LinearModel::at(const Context& context) const {
  Column x;
  for (Eigen::Index i = 0; i < k_size; ++i) {
    x(i) = static_cast<double>(context[static_cast<std::size_t>(i)]) / k_context_unit;
  }
  Estimate estimate;
  for (Eigen::Index i = 0; i < k_size; ++i) estimate.mean += theta_[static_cast<std::size_t>(i)] * x(i);
  // xᵀ A⁻¹ x = |L⁻¹x|²
  const Eigen::Map<const Matrix> factor(factor_.data());
  double square = 0;
  for (Eigen::Index i = 0; i < k_size; ++i) {
    x(i) /= factor(i, i);
    x.tail(k_size - i - 1) -= x(i) * factor.col(i).tail(k_size - i - 1);
    square += x(i) * x(i);
  }
  estimate.deviation = std::sqrt(square);
  return estimate;
}

}  // namespace bernstein
