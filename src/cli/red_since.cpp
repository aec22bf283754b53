#include "red_since.hpp"

#include "words.hpp"

namespace bernstein::cli {
namespace {

std::string named(const port::Ancestor& ancestor) {
  return short_id(ancestor.commit) + " \"" + ancestor.title + "\"";
}

}  // namespace

std::string red_since(const RunState& state, port::Workspace& workspace, port::EventReader& log) {
  if (!is_target_red(state)) return "";
  const Examination& examination = state.target_check->examination;
  const CheckSpec& check = examination.checks[examination.next];
  const Result<std::vector<port::Ancestor>> history = workspace.history(state.target_check->commit, k_history_max);
  if (!history) return "";
  for (std::size_t i = 1; i < history->size(); ++i) {
    const port::Ancestor& ancestor = (*history)[i];
    const Result<Seq> passed = log.find_passed(check_key(state.environment, ancestor.tree, check));
    if (!passed) return "";
    if (*passed == 0) continue;
    const port::Ancestor& first = (*history)[i - 1];
    std::string text = "it passed at " + named(ancestor) + "; ";
    if (i == 1) return text + "since then there is " + named(first) + " by " + first.author;
    return text + "the first that may have broken it is " + named(first) + " by " + first.author + ", of " +
           std::to_string(i) + " since then";
  }
  return "no commit before it is known to have passed '" + check.name + "' here";
}

}  // namespace bernstein::cli
