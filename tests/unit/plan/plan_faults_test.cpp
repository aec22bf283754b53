#include <chrono>

#include "bernstein/plan/plan.hpp"
#include "plan_builders.hpp"

namespace bernstein::plan {
namespace {

TEST(PlanFaults, AreAllReportedAtOnceInOrderOfLines) {
  EXPECT_EQ(faults_of(R"(name: x
budget: ten
stagess: []
stages:
  - name: backend
    depends_on: [backnd]
    steps:
      - title: a
        priority: 9
        files: [/etc/passwd, ../x, .git/config, ok]
      - role: docs
  - name: docs
    depends_on: [frontend]
    steps: []
)"),
            R"(plan.yaml:2: the plan has 'ten' for 'budget'; write US dollars, such as "$15" or 15.50
plan.yaml:3: the plan has the unknown key 'stagess'; did you mean 'stages'?
plan.yaml:6: stage 'backend' depends on unknown stage 'backnd'; did you mean 'backend'?
plan.yaml:9: step 'a' has '9' for 'priority'; write 1 (most urgent) to 5, or p0 to p4
plan.yaml:10: step 'a' has the path '/etc/passwd' in 'files', which is absolute; write it from the root of the repository
plan.yaml:10: step 'a' has the path '../x' in 'files', which leaves the tree; write it without '..'
plan.yaml:10: step 'a' has the path '.git/config' in 'files', which enters '.git', which belongs to git; name files of the tree
plan.yaml:11: step 2 of stage 'backend' has no title; write title: "..."
plan.yaml:13: stage 'docs' depends on unknown stage 'frontend'; stages are backend, docs
plan.yaml:14: stage 'docs' has no steps; add a step or remove the stage)");
}

TEST(PlanFaults, NameTheDocumentThatIsNoPlan) {
  EXPECT_EQ(faults_of(""), "plan.yaml: is empty; write a map with 'stages:', a list of stages with steps");
  EXPECT_EQ(faults_of("# nothing\n"), "plan.yaml: is empty; write a map with 'stages:', a list of stages with steps");
  EXPECT_EQ(faults_of("- a\n"), "plan.yaml:1: is a list; write a map with 'stages:', a list of stages with steps");
  EXPECT_EQ(faults_of("\nhello\n"), "plan.yaml:2: is text; write a map with 'stages:', a list of stages with steps");
  EXPECT_EQ(faults_of("name: x\n"), "plan.yaml:1: the plan has no stages; write at least one stage with a step");
  EXPECT_EQ(faults_of("name: x\nstages: []\n"),
            "plan.yaml:2: the plan has no stages; write at least one stage with a step");
  EXPECT_EQ(faults_of("stages: {a: 1}\n"),
            "plan.yaml:1: the plan has a map for 'stages'; write a list: stages: [{name: build, steps: [...]}]");
  EXPECT_EQ(faults_of("stages: [{name: s, tasks: [x], steps: [{title: t}]}]"),
            "plan.yaml:1: stage 's' has the unknown key 'tasks'; did you mean 'steps'?");
}

TEST(PlanFaults, NameWrongTypesAndWhatToWrite) {
  EXPECT_EQ(faults_of(one_step("title: [a]")), "plan.yaml:1: step 1 of stage 's' has a list for 'title'; write text");
  EXPECT_EQ(faults_of(one_step("title: x, files: src/a")),
            "plan.yaml:1: step 'x' has text for 'files'; write a list: [src/a]");
  EXPECT_EQ(faults_of(one_step("title: x, files: [{a: b}, [], ~]")),
            "plan.yaml:1: step 'x' has a map in 'files'; each entry is a text\n"
            "plan.yaml:1: step 'x' has a list in 'files'; each entry is a text\n"
            "plan.yaml:1: step 'x' has an empty entry in 'files'; each entry is a text");
  EXPECT_EQ(faults_of(one_step("title: x, estimated_minutes: soon")),
            "plan.yaml:1: step 'x' has 'soon' for 'estimated_minutes'; write a whole number from 1 to 100000");
  EXPECT_EQ(faults_of(one_step("title: x, priority: [1]")),
            "plan.yaml:1: step 'x' has a list for 'priority'; write text");
  EXPECT_EQ(faults_of("max_agents: 0\n" + one_step("title: x")),
            "plan.yaml:1: the plan has '0' for 'max_agents'; write a whole number from 1 to 1000");
  EXPECT_EQ(faults_of("stages: [text, {name: s, steps: [text, [a]]}]"),
            "plan.yaml:1: stage 1 is text; write a map: {name: build, steps: [...]}\n"
            "plan.yaml:1: step 1 of stage 's' is text; write a map with a title: {title: \"...\"}\n"
            "plan.yaml:1: step 2 of stage 's' is a list; write a map with a title: {title: \"...\"}");
  EXPECT_EQ(
      faults_of(
          "stages: [{steps: [{title: t}]}, {name: \" \", steps: [{title: t}]}, {name: [x], steps: [{title: t}]}]"),
      "plan.yaml:1: stage 1 has no name; write name: build\n"
      "plan.yaml:1: stage 2 has no name; write name: build\n"
      "plan.yaml:1: stage 3 has a list for 'name'; write text");
  EXPECT_EQ(faults_of("stages: [{name: s, steps: {title: t}}]"),
            "plan.yaml:1: stage 's' has a map for 'steps'; write a list: steps: [{title: \"...\"}]");
}

TEST(PlanFaults, OfferTheWordThatWasMeant) {
  EXPECT_EQ(faults_of(one_step("title: x, scope: smal")),
            "plan.yaml:1: step 'x' has 'smal' for 'scope'; did you mean 'small'?");
  EXPECT_EQ(faults_of(one_step("title: x, complexity: enormous")),
            "plan.yaml:1: step 'x' has 'enormous' for 'complexity'; write one of low, medium, high");
  EXPECT_EQ(faults_of(one_step("title: x, effort: hihg")),
            "plan.yaml:1: step 'x' has 'hihg' for 'effort'; did you mean 'high'?");
  EXPECT_EQ(faults_of(one_step("title: x, descripton: y")),
            "plan.yaml:1: step 'x' has the unknown key 'descripton'; did you mean 'description'?");
  EXPECT_EQ(faults_of(one_step("title: x, needs: [y], signals: []")),
            "plan.yaml:1: step 'x' has the unknown key 'needs'; did you mean 'depends_on'?\n"
            "plan.yaml:1: step 'x' has the unknown key 'signals'; did you mean 'completion_signals'?");
}

TEST(PlanFaults, NameAgentsThatThereAreNot) {
  const std::string text = R"(cli: claud
stages:
  - name: s
    steps:
      - {title: a, cli: auto}
      - title: b
        cli: foo
      - {title: c, cli: claude}
)";
  EXPECT_EQ(faults_of(text, {.agents = {{"claude", "codex"}}}),
            "plan.yaml:1: the plan names the unknown agent 'claud'; did you mean 'claude'?\n"
            "plan.yaml:7: step 'b' names the unknown agent 'foo'; add it under agents: in bernstein.yaml");
  EXPECT_EQ(faults_of(text, {.agents = {{"claude", "foo"}}, .agent_is_given = true}), "");
  EXPECT_EQ(faults_of(text), "");  // where it is not known which there are
}

TEST(PlanFaults, NameUnknownAndAmbiguousSteps) {
  EXPECT_EQ(faults_of("stages:\n- name: build\n  steps: [{title: compile, id: compile}, {title: twin}, {title: twin}]\n"
                      "- name: docs\n  steps:\n  - title: write\n    depends_on:\n    - compil\n    - elsewhere\n    - "
                      "build\n    - twin\n"),
            "plan.yaml:8: step 'write' depends on unknown step 'compil'; did you mean 'compile'?\n"
            "plan.yaml:9: step 'write' depends on unknown step 'elsewhere'; name an id or a title of a step\n"
            "plan.yaml:10: step 'write' depends on unknown step 'build'; it is a stage: name it in 'depends_on' of "
            "stage 'docs'\n"
            "plan.yaml:11: step 'write' depends on 'twin', which is the title of several steps; give that step an id "
            "and name it");
}

TEST(PlanFaults, NameDuplicatesWithTheirFirstPlace) {
  EXPECT_EQ(faults_of("stages:\n- {name: s, steps: [{title: a, id: x}]}\n- {name: s, steps: [{title: b, id: x}]}\n"),
            "plan.yaml:3: stage name 's' stands twice, first at line 2; rename one\n"
            "plan.yaml:3: step id 'x' stands twice, first at line 2; rename one");
  EXPECT_EQ(faults_of("name: a\nname: b\n" + one_step("title: x")),
            "plan.yaml:2: key 'name' stands twice, first at line 1; remove one");
}

TEST(PlanFaults, PrintCyclesOfStages) {
  EXPECT_EQ(faults_of("stages:\n- {name: a, depends_on: [b], steps: [{title: x}]}\n"
                      "- {name: b, depends_on: [a], steps: [{title: y}]}\n"),
            "plan.yaml:2: these wait for each other: a -> b -> a; remove one of the dependencies");
  EXPECT_EQ(faults_of("stages: [{name: a, depends_on: [a], steps: [{title: x}]}]"),
            "plan.yaml:1: stage 'a' waits for itself: a -> a; remove that");
}

TEST(PlanFaults, PrintCyclesOfStagesWithoutSteps) {
  EXPECT_EQ(faults_of("stages:\n- {name: a, depends_on: [b], steps: []}\n"
                      "- {name: b, depends_on: [a], steps: [{title: y}]}\n"),
            "plan.yaml:2: stage 'a' has no steps; add a step or remove the stage\n"
            "plan.yaml:2: these wait for each other: a -> b -> a; remove one of the dependencies");
}

TEST(PlanFaults, NameEveryThingThatWaitsForItself) {
  EXPECT_EQ(faults_of("stages:\n- name: a\n  depends_on: [a]\n  steps:\n  - {title: s, depends_on: [s]}\n"),
            "plan.yaml:3: stage 'a' waits for itself: a -> a; remove that\n"
            "plan.yaml:5: step 's' waits for itself: s -> s; remove that");
}

TEST(PlanFaults, PrintCyclesOfSteps) {
  EXPECT_EQ(faults_of("stages:\n- name: s\n  steps:\n  - {title: One, id: a, depends_on: [c]}\n"
                      "  - {title: Two, id: b, depends_on: [a]}\n  - {title: c, depends_on: [b]}\n"),
            "plan.yaml:4: these wait for each other: a -> c -> b -> a; remove one of the dependencies");
  EXPECT_EQ(faults_of(one_step("title: x, depends_on: [x]")),
            "plan.yaml:1: step 'x' waits for itself: x -> x; remove that");
}

TEST(PlanFaults, PrintCyclesThatGoThroughStagesAndSteps) {
  // x waits for y, whose stage late waits for the stage early, which is not over before x.
  EXPECT_EQ(faults_of("stages:\n- name: early\n  steps:\n  - {title: x, depends_on: [y]}\n"
                      "- name: late\n  depends_on: [early]\n  steps:\n  - {title: y}\n"),
            "plan.yaml:2: these wait for each other: early -> x -> y -> late -> early; remove one of the dependencies");
}

TEST(PlanFaults, PrintIndependentCyclesEach) {
  EXPECT_EQ(
      faults_of(
          "stages:\n- name: s\n  steps:\n  - {title: a, depends_on: [b]}\n  - {title: b, depends_on: [a]}\n"
          "  - {title: c, depends_on: [d]}\n  - {title: d, depends_on: [c]}\n  - {title: e, depends_on: [a, d]}\n"),
      "plan.yaml:4: these wait for each other: a -> b -> a; remove one of the dependencies\n"
      "plan.yaml:6: these wait for each other: c -> d -> c; remove one of the dependencies");
}

TEST(PlanFaults, AcceptWaitingThatOnlyLooksLikeACycle) {
  // y waits for x of its own stage's predecessor, which the stage waits for anyway.
  EXPECT_EQ(faults_of("stages:\n- {name: a, steps: [{title: x}, {title: z, depends_on: [x]}]}\n"
                      "- {name: b, depends_on: [a], steps: [{title: y, depends_on: [x, z]}]}\n"),
            "");
}

std::string signal_faults(const std::string& signal) {
  return faults_of(one_step("title: x, completion_signals: [" + signal + "]"));
}

TEST(PlanFaults, NameSignalsThatWouldCheckNothing) {
  EXPECT_EQ(signal_faults("{type: path_exist, path: a}"),
            "plan.yaml:1: step 'x': signal 1 has the unknown type 'path_exist'; did you mean 'path_exists'?");
  EXPECT_EQ(signal_faults("{type: prayer, path: a}"),
            "plan.yaml:1: step 'x': signal 1 has the unknown type 'prayer'; known are path_exists, glob_exists, "
            "file_contains, test_passes, gate");
  EXPECT_EQ(signal_faults("{path: a}"),
            "plan.yaml:1: step 'x': signal 1 has no type; write one of path_exists, glob_exists, file_contains, "
            "test_passes, gate");
  EXPECT_EQ(signal_faults("{type: path_exists}"),
            "plan.yaml:1: step 'x': signal 1 has no 'path'; write {type: path_exists, path: src/a.py}");
  EXPECT_EQ(
      signal_faults("{type: test_passes, command: \"\"}"),
      "plan.yaml:1: step 'x': signal 1 has an empty 'command'; write {type: test_passes, command: \"pytest -q\"}");
  EXPECT_EQ(signal_faults("tests"),
            "plan.yaml:1: step 'x': signal 1 is text; write {type: path_exists, path: src/a.py}");
}

TEST(PlanFaults, SayHowToWriteFileContains) {
  EXPECT_EQ(
      signal_faults("{type: file_contains, value: app.py}"),
      "plan.yaml:1: step 'x': signal 1 does not say what the file contains; write {type: file_contains, path: app.py, "
      "contains: \"def main\"}");
  EXPECT_EQ(signal_faults("{type: file_contains, contains: app}"),
            "plan.yaml:1: step 'x': signal 1 has no 'path'; write {type: file_contains, path: app.py, contains: \"def "
            "main\"}");
}

TEST(PlanFaults, NameSignalFieldsThatWouldBePassedOver) {
  EXPECT_EQ(
      signal_faults("{type: path_exists, path: a, contains: b}"),
      "plan.yaml:1: step 'x': signal 1 has 'contains', which path_exists does not look at; write {type: path_exists, "
      "path: src/a.py}");
  EXPECT_EQ(signal_faults("{type: path_exists, path: a, value: b}"),
            "plan.yaml:1: step 'x': signal 1 has both 'path' and 'value'; keep 'path'");
  EXPECT_EQ(signal_faults("{type: path_exists, path: ../a}"),
            "plan.yaml:1: step 'x': signal 1 has the path '../a', which leaves the tree; write it without '..'");
  EXPECT_EQ(signal_faults("{type: test_passes, command: a, timeout: never}"),
            "plan.yaml:1: step 'x': signal 1 has 'never' for 'timeout'; write a time of at most 720h, such as 90s, 10m "
            "or 1h30m");
}

TEST(PlanFaults, AreBoundedInNumberAndInTime) {
  // Twenty thousand wrong names times twenty thousand right ones would be 400 million comparisons.
  std::string text = "stages:\n- name: s\n  steps:\n";
  for (int i = 0; i < 20'000; ++i) {
    text += "  - {title: step" + std::to_string(i) + ", depends_on: [stepp" + std::to_string(i) + "]}\n";
  }
  auto start = std::chrono::steady_clock::now();
  PlanResult result = parse_plan(text, {});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  const Faults& faults = std::get<Faults>(result);
  ASSERT_EQ(faults.size(), 1001u);
  EXPECT_EQ(faults[0], (Fault{0, "has 19000 faults more than are shown here"}));
  EXPECT_EQ(faults[1].message, "step 'step0' depends on unknown step 'stepp0'; did you mean 'step0'?");
}

}  // namespace
}  // namespace bernstein::plan
