#include "words.hpp"

#include <algorithm>
#include <span>

#include "bernstein/base/text.hpp"

namespace bernstein {

std::string plural(std::size_t n, const std::string& noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

std::string name_paths(const std::vector<std::string>& paths) {
  constexpr std::size_t k_named_max = 10;
  const std::size_t named = std::min(paths.size(), k_named_max);
  std::string text = join(std::span(paths).first(named), ", ");
  if (paths.size() > named) text += " and " + std::to_string(paths.size() - named) + " more";
  return text;
}

}  // namespace bernstein
