// The effects that are the planner's own: what it is asked, and reading what it answers.

#include <utility>

#include "bernstein/agent/outcome.hpp"
#include "bernstein/agent/secrets.hpp"
#include "bernstein/agent/usage.hpp"
#include "bernstein/planner/answer.hpp"
#include "bernstein/planner/map.hpp"
#include "bernstein/planner/request.hpp"
#include "bernstein/planner/schema.hpp"
#include "earlier_attempts.hpp"
#include "effects.hpp"
#include "files.hpp"

namespace bernstein::run {
namespace {

constexpr std::size_t k_map_bytes_max = 48 << 10;

std::vector<std::string> gate_names(const RunConfig& config) {
  std::vector<std::string> names;
  for (const CheckSpec& gate : config.gates) names.push_back(gate.name);
  return names;
}

// The last answer to the question at hand that could be read and not be used.
std::optional<planner::RejectedAnswer> rejected_answer(const Planning& planning, port::BlobStore& blobs) {
  std::optional<planner::RejectedAnswer> rejected;
  for (std::size_t i = planning.first_session; i < planning.task.attempts.size(); ++i) {
    const Attempt& session = planning.task.attempts[i];
    if (!session.answer || session.answer->faults.empty()) continue;
    const Result<std::string> said = blobs.get(session.answer->answer);
    rejected =
        planner::RejectedAnswer{.answer = said ? *said : "(it is no longer there)", .faults = session.answer->faults};
  }
  return rejected;
}

// What was escaped in the answer is found only now.
void redact(planner::Answer& answer, const Secrets& secrets) {
  RunConfig none;
  PlanAccepted plan{.name = answer.name, .stages = answer.stages, .tasks = answer.tasks};
  agent::redact_inputs(secrets, none, plan);
  answer.name = std::move(plan.name);
  answer.stages = std::move(plan.stages);
  answer.tasks = std::move(plan.tasks);
  Redactor redactor(secrets);
  answer.yaml = redactor.redact(answer.yaml);
  for (std::vector<std::string>* sentences : {&answer.faults, &answer.warnings}) {
    for (std::string& sentence : *sentences) sentence = redactor.redact(sentence);
  }
}

// All of it but the map, which takes a look at the repository.
planner::Request request_of(const RunState& state, port::BlobStore& blobs) {
  const RunConfig& config = config_of(state);
  const TaskId question = *state.planning.question;
  planner::Request request{.goal = state.started->goal,
                           .gates = config.gates,
                           .constraints = config.constraints,
                           .context_files = config.context_files,
                           .tasks_max = config.limits.planned_tasks,
                           .rejected = rejected_answer(state.planning, blobs)};
  for (const auto& [role, text] : config.roles) {
    if (role == k_planner_role) {
      request.constraints.insert(request.constraints.begin(), text);
    } else {
      request.roles.push_back(role);
    }
  }
  if (question != k_planning) {
    request.task = task_of(state, question).spec;
    request.attempts = earlier_attempts(task_of(state, question), blobs);
    for (const auto& [id, other] : state.tasks) {
      if (id != question) request.others.push_back(other.spec.title);
    }
  }
  return request;
}

std::string map_of(const std::vector<port::TreeFile>& files) {
  std::vector<std::string> paths;
  for (const port::TreeFile& file : files) {
    if (!file.directory) paths.push_back(file.path);
  }
  return planner::repository_map(paths, k_map_bytes_max);
}

planner::Rules rules_of(const RunState& state) {
  const RunConfig& config = config_of(state);
  const TaskId question = *state.planning.question;
  planner::Rules rules{.gates = gate_names(config), .tasks_max = config.limits.planned_tasks};
  if (question == k_planning) return rules;
  rules.whole = task_of(state, question).spec;
  rules.first_id = TaskId{static_cast<std::uint32_t>(state.tasks.size()) + 1};
  return rules;
}

}  // namespace

void Effects::ask_planner(const RunState& state, const Task& task, const SpawnRequested& intent) {
  auto listed = std::make_shared<Result<std::vector<port::TreeFile>>>(std::vector<port::TreeFile>{});
  ports_.reactor.submit(
      [&workspace = ports_.workspace, base = attempt_of(state, task.attempt).base, listed] {
        *listed = workspace.list_tree(base);
      },
      [this, &state, task, intent, listed] {
        const std::vector<std::string> gates = gate_names(config_of(state));
        const bool is_whole_plan = *state.planning.question == k_planning;
        const std::uint32_t tasks_max = is_whole_plan ? config_of(state).limits.planned_tasks : planner::k_parts_max;
        const Schemas schemas{.lenient = planner::answer_schema(gates, tasks_max, planner::SchemaStyle::lenient),
                              .strict = planner::answer_schema(gates, tasks_max, planner::SchemaStyle::strict)};
        if (!*listed) {
          const Error& error = listed->error();
          // At work, its agent has been asked. One that waits for its go has a prompt that cannot be made again now.
          if (attempt_of(state, task.attempt).started) return run_agent(state, task, intent, error, schemas);
          return end_and_fail(task, SpawnRequested::type, error);
        }
        planner::Request request = request_of(state, ports_.blobs);
        request.map = map_of(**listed);
        run_agent(state, task, intent, Redactor(secrets(state)).redact(planner::build_request(request)), schemas);
      });
}

// Its answer is in the log, which outlives us: whoever resumes reads it again. The question stays the same for as long
// as the intent is open.
void Effects::start(const RunState& state, const Task& task, const PlanReadRequested&) {
  struct Reading {
    std::string text;
    planner::Answer answer;
  };
  auto reading = std::make_shared<Reading>();
  const TextPlace place = find_agent(config_of(state), attempt_of(state, task.attempt).arm.agent)->answer;
  const bool is_whole_plan = *state.planning.question == k_planning;
  ports_.reactor.submit(
      [place, log = log_path(task.attempt, ""), rules = rules_of(state), secrets = secrets(state), reading] {
        const std::string output = read_end(log, agent::k_usage_output_bytes_max);
        std::string text = agent::read_text(place, output);
        if (text.empty()) text = output;
        reading->text = Redactor(secrets).redact(text);  // what was escaped in the output is found now
        reading->answer = planner::read_answer(reading->text, rules);
        redact(reading->answer, secrets);
      },
      [this, task, is_whole_plan, reading] {
        planner::Answer& answer = reading->answer;
        const Result<std::string> kept = ports_.blobs.put(reading->text);
        if (!kept) return could_not(task, PlanReadRequested::type, kept.error());
        PlanRead read{.answer = *kept, .faults = std::move(answer.faults), .warnings = std::move(answer.warnings)};
        if (!read.faults.empty()) return this->answer(task, std::move(read));
        const Result<std::string> source = ports_.blobs.put(answer.yaml);
        if (!source) return could_not(task, PlanReadRequested::type, source.error());
        if (is_whole_plan) {
          const Status saved = write_file(site_.sdd + "/" + plan_file_name(run_), answer.yaml);
          if (!saved) return could_not(task, PlanReadRequested::type, saved.error());
        }
        read.name = std::move(answer.name);
        read.source = *source;
        read.stages = std::move(answer.stages);
        read.tasks = std::move(answer.tasks);
        this->answer(task, std::move(read));
      });
}

}  // namespace bernstein::run
