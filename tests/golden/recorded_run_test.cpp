// A run as it was recorded, one event a line. Its inputs must lead to the same decisions for as long as k_rules_version
// stands: a difference here means that the runs of users will not replay. Changed on purpose? Raise k_rules_version,
// look at the diff, and write it anew with BERNSTEIN_ACCEPT=1.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bernstein/decide/decide.hpp"
#include "bernstein/event/codec.hpp"
#include "bernstein/state/apply.hpp"
#include "bernstein/state/invariants.hpp"
#include "support/builders.hpp"

namespace bernstein {
namespace {

using namespace test;

// The payload stands last and as it is stored, so that bytes are compared and not values.
std::string to_line(const Event& event) {
  const Record record = to_record(event);
  nlohmann::ordered_json head{{"seq", record.seq},         {"kind", to_word(record.kind)}, {"type", record.type},
                              {"version", record.version}, {"cause", record.cause},        {"subject", record.subject},
                              {"at_us", record.at_us},     {"wall_us", record.wall_us}};
  std::string line = head.dump();
  line.pop_back();
  return line + ",\"payload\":" + record.payload + "}";
}

Result<Event> from_line(const std::string& line, RunId run = RunId{1}) {
  const nlohmann::json head = nlohmann::json::parse(line);
  constexpr std::string_view k_payload = "\"payload\":";
  const std::size_t payload = line.find(k_payload) + k_payload.size();
  Record record{.seq = head.at("seq"),
                .run = run,
                .run_seq = head.at("seq"),
                .type = head.at("type"),
                .version = head.at("version"),
                .cause = head.at("cause"),
                .subject = head.at("subject"),
                .at_us = head.at("at_us"),
                .wall_us = head.at("wall_us"),
                .payload = line.substr(payload, line.size() - payload - 1)};
  from_word(head.at("kind").get<std::string>(), record.kind);
  return to_event(record);
}

std::vector<std::string> recorded_lines(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// Something of everything: pins, gates, a red check, a grant, files taken, a conflict, a moved target, verdicts used
// again, a loss, a split, a block, and an agent that does not tell its cost.
World the_run() {
  World world(a_config()
                  .with_agents(3)
                  .with_attempts(2)
                  .with_budget(cents(2'000))
                  .with_arms({"mock/cheap", "mock/strong", "other/best"})
                  .with_gate(a_command("build"))
                  .with_gate(a_command("tests"))
                  .with_planner()
                  .with_role_slots("docs", 1)
                  .with_role_policy("docs", {.agent = "", .model = "cheap"}));
  world.start({a_task(1).titled("Parser").owning("src/parser/").with_priority(1).with_complexity(Complexity::low),
               a_task(2).titled("Printer").owning("src/printer/").checked_by(a_path_check("src/printer/a.cpp")),
               a_task(3).titled("Guide").owning("docs/").with_role("docs").with_scope(Scope::small),
               a_task(4).titled("Reference").owning("docs/*.md").with_role("docs"),
               a_task(5).titled("Doomed").with_priority(4).pinned_to("other").with_role("security"),
               a_task(6).titled("After the doomed").after(5), a_task(7).titled("Release").in_stage(1).after_stage(0)});
  world.works(at(1), {"CHANGELOG.md", "src/parser/a.cpp"});
  world.candidate_built(at(1));
  world.check_passes(at(1));
  world.check_fails(at(1), "exit 2");
  world.run([&](const RunState&, const OpenIntent& intent) -> std::optional<EventBody> {
    if (intent.subject != about_run()) return std::nullopt;
    return world.success(intent);  // the target passes its gates
  });
  world.removed(at(1));
  world.worktree_ready(at(2));
  world.feed({about(at(2)), AgentStarted{.pid = 4711, .prompt = "prompt"}}, world.open<SpawnRequested>(at(2)));
  world.feed({about(at(2)), AgentStalled{150 * k_second}});
  world.feed({about(at(2)), AgentRecovered{}});
  world.agent_exits(at(2), 0, std::nullopt);
  world.captured(at(2), {"docs/index.md", "src/printer/a.cpp"});
  world.works(at(3), {"docs/index.md"});
  world.candidate_built(at(3));
  world.check_passes(at(3));
  world.check_passes(at(3));
  world.answer<MergeRequested>(at(3), MergeRefused{"commit of the user"});
  // What the user committed stands in the attempt too, so the tree is the one that was checked.
  CandidateBuilt same = world.candidate_of(at(3), "commit of the user");
  same.tree = "tree of commit of t3.1 on commit-0";
  world.answer<CandidateRequested>(at(3), same);
  world.lands(at(3));
  world.breaks<WorktreeRequested>(at(1, 2), FailureClass::orchestrator, "its worktree was lost");
  world.worktree_ready(at(1, 3));
  AgentExited parked = an_exit(1);
  parked.outcome = AgentOutcome::quota;
  parked.message = "429 too many requests";
  world.answer<SpawnRequested>(at(1, 3), parked);
  world.run([&](const RunState&, const OpenIntent& intent) -> std::optional<EventBody> {
    // The doomed one is split at the planner's second answer, and its first part is as doomed.
    if (intent.subject == about(session(1)) && std::holds_alternative<PlanReadRequested>(intent.body)) {
      return a_faulty_answer({"the answer is no plan"});
    }
    if (intent.subject.task == t(5) || intent.subject.task == t(8)) {
      if (std::holds_alternative<SpawnRequested>(intent.body)) return an_exit(1);
      if (std::holds_alternative<CaptureRequested>(intent.body)) return some_work(at(5), {}, "commit-0");
    }
    if (intent.subject == about(at(4, 1)) && std::holds_alternative<CandidateRequested>(intent.body)) {
      return CandidateConflicted{world.state().target_tip,
                                 {{.base = "1", .ours = "2", .path = "docs/index.md", .theirs = "3"}}};
    }
    return world.success(intent);
  });
  return world;
}

// A second run in its workspace, by batches with two check slots: verdicts of the first, a batch that is red, a check
// that contradicts itself, a check that nobody needs any more, a red target, a conflict that goes to a person and comes
// back, a conflict that is foreseen, landings that a person approves, and one that is taken back.
World the_queue() {
  CheckSpec often_red = a_command("tests");
  often_red.flaky = true;
  World world(a_config()
                  .with_agents(4)
                  .with_attempts(1)
                  .with_arms({"mock/cheap", "mock/strong"})
                  .with_gate(often_red)
                  .with_landing({.batch = 3, .max_checks = 2, .skip_intermediate = true})
                  .with_merge_approval(),
              RunId{2});
  world.start({a_task(1).owning("a/"), a_task(2).owning("b/"), a_task(3).owning("c/"), a_task(4).owning("d/"),
               a_task(5).owning("e/").after(1)});
  std::map<std::string, int> times;  // that a tree was checked
  const auto answer = [&](const RunState& state, const OpenIntent& intent) -> std::optional<EventBody> {
    const AttemptId id{intent.subject.task, intent.subject.attempt};
    const bool is_slow = id == at(2) && std::holds_alternative<SpawnRequested>(intent.body);
    if (is_slow && !attempt_of(state, at(1)).work) return std::nullopt;
    EventBody result = world.success(intent);
    if (auto* check = std::get_if<CheckFinished>(&result)) {
      const int time = ++times[check->tree];
      const bool is_bad = id == at(5);
      const bool flakes = id == at(4) && time == 1;  // once, and then never again
      if (is_bad || flakes) check->verdict = CheckVerdict::failed, check->why = "exit 1";
      // Checked beside the whole batch, and not needed once that is green.
      const bool is_half = id == at(1) && world.open<CheckRequested>(at(4)) != 0;
      if (is_half) return std::nullopt;
    }
    const bool conflicts = id.task == t(2) && id.number < 5 && std::holds_alternative<CandidateRequested>(intent.body);
    if (conflicts) {
      return CandidateConflicted{std::get<CandidateBuilt>(result).base,
                                 {{.base = "1", .ours = "2", .path = "b/file", .theirs = std::to_string(id.number)}}};
    }
    if (std::holds_alternative<ProbeRequested>(intent.body) && id == at(1))
      return ProbeFinished{{{"t2.1", {"b/file"}}}};
    return result;
  };
  // Who works begins, so that others may conflict with it.
  for (std::uint32_t task = 1; task <= 4; ++task) {
    world.worktree_ready(at(task));
    world.feed({about(at(task)), AgentStarted{.pid = 1}}, world.open<SpawnRequested>(at(task)));
  }
  world.run(answer);
  const auto go_on = [&] {
    world.resumes();
    world.run(answer);
  };
  const auto land_what_is_held = [&] {
    while (!world.state().held.empty()) {
      for (AttemptId id : std::set(world.state().held)) world.feed({about(id.task), LandingApproved{}});
      go_on();
    }
  };
  land_what_is_held();
  world.feed({about(t(2)), RetryWanted{}});
  go_on();
  land_what_is_held();
  world.feed({about(t(1)), UndoWanted{}});
  go_on();
  land_what_is_held();
  return world;
}

struct Recording {
  const char* name;
  World (*make)();
  RunId run;
  std::string path() const { return std::string(BERNSTEIN_RECORDINGS) + "/" + name + ".jsonl"; }
};
void PrintTo(const Recording& recording, std::ostream* out) {
  *out << recording.name;
}
const Recording k_recordings[] = {{"recorded_run", the_run, RunId{1}}, {"recorded_queue", the_queue, RunId{2}}};

class RecordedRun : public testing::TestWithParam<Recording> {
 protected:
  void SetUp() override {
    if (std::getenv("BERNSTEIN_ACCEPT") != nullptr) {
      std::ofstream file(GetParam().path());
      const World world = GetParam().make();
      for (const Event& event : world.log()) file << to_line(event) << '\n';
      GTEST_SKIP() << "written anew: look at the diff of " << GetParam().path();
    }
    events_ = read(GetParam());
    ASSERT_FALSE(events_.empty());
  }

  static std::vector<Event> read(const Recording& recording) {
    std::vector<Event> events;
    for (const std::string& line : recorded_lines(recording.path()))
      events.push_back(from_line(line, recording.run).value());
    return events;
  }

  std::vector<Event> events_;
};
INSTANTIATE_TEST_SUITE_P(Of, RecordedRun, testing::ValuesIn(k_recordings));

TEST_P(RecordedRun, IsReadAndFoldedToItsEnd) {
  RunState state;
  for (const Event& event : events_) {
    const Status applied = apply(state, event);
    ASSERT_TRUE(applied) << applied.error().message;
  }
  ASSERT_TRUE(state.finished);
  static const std::map<std::string, std::string> k_ends{{"recorded_run", "4 of 8 tasks landed, 4 did not"},
                                                         {"recorded_queue", "5 of 6 tasks landed, 1 did not"}};
  EXPECT_EQ(state.finished->why, k_ends.at(GetParam().name));
  EXPECT_EQ(broken_invariants(state), std::vector<std::string>{});
}

TEST_P(RecordedRun, IsDecidedAgainByteForByte) {
  const std::vector<std::string> recorded = recorded_lines(GetParam().path());
  std::vector<std::string> decided;
  RunState state;
  for (const Event& input : events_) {
    if (!is_observed(kind_of(input.body))) continue;
    decided.push_back(to_line(input));
    Seq last = input.seq;
    const Result<std::vector<Event>> followed = settle(state, input, [&](Draft draft) {
      return Event{.seq = ++last,
                   .run = input.run,
                   .run_seq = last,
                   .cause = input.seq,
                   .subject = draft.subject,
                   .at_us = input.at_us,
                   .wall_us = input.wall_us,
                   .body = std::move(draft.body)};
    });
    ASSERT_TRUE(followed) << followed.error().message;
    for (const Event& event : *followed) decided.push_back(to_line(event));
    // The first difference says all; what comes after it follows from it.
    for (std::size_t i = decided.size() - followed->size() - 1; i < decided.size(); ++i) {
      ASSERT_LT(i, recorded.size()) << "more is decided than was recorded: " << decided[i];
      ASSERT_EQ(decided[i], recorded[i]) << "line " << i + 1;
    }
  }
  EXPECT_EQ(decided.size(), recorded.size());
}

TEST(Recordings, HaveSomethingOfAlmostEverything) {
  std::set<std::string_view> types;
  for (const Recording& recording : k_recordings) {
    for (const std::string& line : recorded_lines(recording.path()))
      types.insert(type_of(from_line(line).value().body));
  }
  // Left out: what a person asks for while a run goes on, and what a goal begins with.
  const std::set<std::string_view> left_out{"StopRequested", "RunPaused",    "RunContinued",
                                            "PlanWanted",    "PlanApproved", "PlanFailed"};
  EXPECT_EQ(types.size(), std::variant_size_v<EventBody> - left_out.size());
  for (const std::string_view type : left_out) EXPECT_FALSE(types.contains(type)) << type;
}

}  // namespace
}  // namespace bernstein
