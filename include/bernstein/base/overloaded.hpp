#pragma once
// overloaded: one visitor out of several lambdas, for std::visit over a closed set of kinds.
// A visit without a catch-all lambda stops compiling when a kind is added: that is the point.

namespace bernstein {

template <class... F>
struct overloaded : F... {
  using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;  // clang 14 needs the guide

}  // namespace bernstein
