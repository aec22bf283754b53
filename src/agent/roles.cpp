#include "roles.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace bernstein::agent {
namespace {

using Entry = std::pair<std::string_view, std::string_view>;

constexpr std::array<Entry, 12> k_roles{{
    {"architect", "Decide the structure first, keep interfaces small, and write down why."},
    {"backend", "Write server-side code with clear errors, and tests beside it."},
    {"data", "Keep data correct first: state units and assumptions, and check the edges."},
    {"devops", "Make builds and deployments repeatable; a second run must change nothing."},
    {"docs", "Write for a reader in a hurry; try every command that you document."},
    {"frontend", "Write interfaces that work with a keyboard, a slow network and wrong input."},
    {"manager", "Keep the plan small and the order clear; change no code that the task does not name."},
    {"ml-engineer", "Make results repeatable: fix seeds, and keep measurement apart from training."},
    {"qa", "Write tests that fail when the behaviour is wrong; do not change the code under test to please them."},
    {"refactor", "Change structure, not behaviour; the tests stay as they are."},
    {"reviewer", "Look for what is wrong before what is ugly, and prove it with a test."},
    {"security", "Distrust input, give least rights, and leave no secret in code or output."},
}};

}  // namespace

std::string_view role_sentence(std::string_view role) {
  const auto found =
      std::find_if(k_roles.begin(), k_roles.end(), [&](const Entry& entry) { return entry.first == role; });
  return found == k_roles.end() ? std::string_view{} : found->second;
}

}  // namespace bernstein::agent
