#include "bernstein/bandit/features.hpp"

#include <algorithm>

namespace bernstein {
namespace {

constexpr std::int64_t k_one = 1'000;

std::int64_t saturated(std::int64_t count, std::int64_t half) {
  constexpr std::int64_t k_many = 1'000'000'000;  // as good as more
  const std::int64_t n = std::clamp<std::int64_t>(count, 0, k_many);
  return n * k_one / (n + half);
}

}  // namespace

Context context_of(const Features& features) {
  const auto recorded = [&](const char* name) {
    const auto found = features.find(name);
    return found == features.end() ? std::int64_t{0} : found->second;
  };
  const auto is = [&](const char* name, std::int64_t value) { return recorded(name) == value ? k_one : 0; };
  const std::array<std::int64_t, k_dimension> components{
      is("bias", 1),
      is("complexity", 1),
      is("complexity", 2),
      is("scope", 1),
      is("scope", 2),
      saturated(recorded("checks"), 2),
      saturated(recorded("failures"), 1),
      saturated(recorded("files"), 4),
      is("high_stakes", 1),
      saturated(recorded("minutes"), 30),
      saturated(recorded("prompt_tokens"), 1'000),
      (5 - std::clamp<std::int64_t>(recorded("priority"), 1, 5)) * k_one / 4,
      is("role_devops", 1),
      is("role_docs", 1),
      is("role_frontend", 1),
      is("role_qa", 1),
  };
  Context context{};
  std::ranges::transform(components, context.begin(), [](std::int64_t n) { return static_cast<std::int32_t>(n); });
  return context;
}

}  // namespace bernstein
