#include "bernstein/plan/check_words.hpp"

#include "bernstein/base/markdown.hpp"

namespace bernstein::plan {

std::string in_words(const CheckSpec& check) {
  switch (check.type) {
    case CheckType::path_exists:
      return code_span(check.path) + " exists";
    case CheckType::glob_exists:
      return "some path matches " + code_span(check.path);
    case CheckType::file_contains:
      return code_span(check.path) + " contains " + code_span(check.contains);
    case CheckType::command:
      return code_span(check.command) + " exits with 0";
    case CheckType::count_:
      break;
  }
  return check.name;
}

}  // namespace bernstein::plan
