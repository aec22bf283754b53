#pragma once
// What a planner said, judged: a plan that can be used, or what is wrong with it.
//
//     Answer answer = read_answer(text, {.gates = {"tests"}});
//     if (!answer.faults.empty()) request.rejected = {text, answer.faults};   // and ask again (planner/request.hpp)
//
// The plan is the whole text, a fenced block in it, or what stands between its outermost braces: one JSON object with
// the keys of docs/plan.md, or YAML where there is none. It is read by the rules for a plan that a model wrote
// (plan/plan.hpp: ModelRules). So whatever the text holds, a plan without faults has no command, agent, model or
// budget, no path outside the tree or in .git, no cycle, and no more tasks than allowed. Text that is not UTF-8 costs
// only its own characters.
//
// Each fault is a sentence that names the step and what to do, never a line of the text:
//
//     the answer is no plan: there is no JSON object in it; answer with one JSON object ...
//     step 'Middleware' depends on unknown step 'bukket'; did you mean 'bucket'?

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bernstein/base/id.hpp"
#include "bernstein/event/spec.hpp"

namespace bernstein::planner {

inline constexpr std::size_t k_answer_bytes_max = 10 << 20;
inline constexpr std::size_t k_answer_faults_max = 20;
inline constexpr std::uint32_t k_parts_min = 2;
inline constexpr std::uint32_t k_parts_max = 5;

struct Rules {
  std::vector<std::string> gates;  // names of the project's
  std::uint32_t tasks_max = 100;
  std::optional<TaskSpec> whole;  // the task that is being split; nothing: the answer plans a goal
  TaskId first_id{1};             // of the parts; a plan for a goal begins with t1
};

// Of a plan for a goal: stages and tasks as parse_plan gives them for `yaml`.
//
// Of a task that is split: its parts, k_parts_min to k_parts_max, and no stages. They are numbered from first_id in an
// order in which none waits for a later one, and wait for other parts alone: what the whole waited for has landed. Each
// has the stage of the whole, its agent, model and effort; where the answer's step names none, also its role, priority
// and files. What stages of the answer wait for has become dependencies of tasks. The last part waits for all others
// and is checked by the signals of the whole after its own, so that what the person asked for is what is checked. Keys
// are unique beside those of other tasks as far as they begin with the id of the whole: "t4-tests".
struct Answer {
  std::vector<std::string> faults;    // empty: the plan can be used; at most 20, and one that counts the rest
  std::vector<std::string> warnings;  // what was passed over; likewise
  std::string name;                   // and what follows is empty when there are faults
  std::vector<StageSpec> stages;
  std::vector<TaskSpec> tasks;
  std::string yaml;  // the plan for a person to read (plan/write.hpp); of a split task, its parts alone
};

Answer read_answer(std::string_view text, const Rules& rules);

}  // namespace bernstein::planner
