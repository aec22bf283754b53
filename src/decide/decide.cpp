#include "bernstein/decide/decide.hpp"

#include <utility>

#include "bernstein/state/apply.hpp"
#include "steps.hpp"

namespace bernstein {

std::vector<Draft> decide(const RunState& state) {
  if (!state.started || !(state.plan || state.planning.wanted) || state.finished || is_left(state)) return {};
  for (auto step : {create_tasks, create_undo, decide_attempt, ready_or_block, decide_landing, start_undo, assign,
                    ask_planner, finish}) {
    if (std::vector<Draft> drafts = step(state); !drafts.empty()) return drafts;
  }
  return {};
}

Result<std::vector<Event>> settle(RunState& state, const Event& input, const Seal& seal) {
  BERNSTEIN_TRY_VOID(apply(state, input));
  std::vector<Event> followed;
  while (true) {
    std::vector<Draft> drafts = decide(state);
    if (drafts.empty()) return followed;
    for (Draft& draft : drafts) {
      followed.push_back(seal(std::move(draft)));
      BERNSTEIN_TRY_VOID(apply(state, followed.back()));
    }
  }
}

}  // namespace bernstein
