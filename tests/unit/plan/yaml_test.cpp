#include "plan/yaml.hpp"

#include "bernstein/plan/plan.hpp"
#include "plan_builders.hpp"

namespace bernstein::plan {
namespace {

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Yaml, SaysWhereATextDoesNotParse) {
  EXPECT_EQ(faults_of("name: [a\nstages: b\n"),
            "plan.yaml:2: YAML does not parse: end of sequence flow not found; check quotes and indentation");
  EXPECT_EQ(faults_of("name: x\n\tstages: []\n").substr(0, 35), "plan.yaml:2: YAML does not parse: i");
  EXPECT_EQ(faults_of("name: *nobody\n"),
            "plan.yaml:1: YAML does not parse: the referenced anchor is not defined; check quotes and indentation");
}

TEST(Yaml, RefusesWhatIsNotOneTextDocument) {
  EXPECT_EQ(faults_of(std::string("name: x\nb: \0\n", 13)), "plan.yaml:2: has a NUL byte; save it as plain UTF-8 text");
  EXPECT_EQ(faults_of("name: x\nb: \xFF\n"), "plan.yaml:2: is not UTF-8; save it as UTF-8");
  EXPECT_EQ(faults_of("name: \"a\\0b\"\n"), "plan.yaml:1: a text has a NUL or is not UTF-8; remove the escape");
  EXPECT_EQ(faults_of("a: 1\n---\nb: 1\n"), "plan.yaml:3: a second document starts here; keep one in a file");
  EXPECT_EQ(faults_of(std::string(k_document_bytes_max + 1, '#')), "plan.yaml: is over 10 MB; split it");
  EXPECT_EQ(faults_of("? [a]\n: b\n").substr(0, 57), "plan.yaml:1: a key is a list or a map; keys are words");
}

TEST(Yaml, AcceptsMarksThatChangeNothing) {
  EXPECT_EQ(plan_of("\xEF\xBB\xBF---\n# a comment\n" + one_step("title: x") + "\n...\n").tasks.size(), 1u);
  EXPECT_EQ(plan_of("stages:\r\n  - name: s\r\n    steps:\r\n      - title: x\r\n").tasks[0].title, "x");
}

TEST(Yaml, RefusesDeepNestingBeforeTheStackEnds) {
  const std::string message = "is nested deeper than 64 levels; flatten it";
  EXPECT_EQ(faults_of("stages: " + repeated("[", 70) + repeated("]", 70)), "plan.yaml:1: " + message);
  for (const char* opening : {"[", "{", "- ", "? ", "[a, ", "&a [", "{a: ", "[\n"}) {
    std::string text = repeated(opening, 300'000);
    EXPECT_NE(faults_of(text).find(message), std::string::npos) << opening << ": " << faults_of(text).substr(0, 200);
  }
}

TEST(Yaml, BoundsWhatAliasesStandFor) {
  std::string text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'z'; ++c) {
    std::string before = std::string("*") + static_cast<char>(c - 1);
    text += std::string(1, c) + ": &" + c + " [" + before + repeated(", " + before, 9) + "]\n";
  }
  EXPECT_EQ(faults_of(text), "plan.yaml:7: its aliases stand for more than 64 MB; write less by aliases");
}

TEST(Yaml, BoundsOneLongTextThatManyAliasesRepeat) {
  std::string text = "name: &long " + std::string(1 << 20, 'x') + "\nstages:\n- name: s\n  steps:\n";
  for (int i = 0; i < 100; ++i) text += "  - {title: t, description: *long}\n";
  EXPECT_EQ(faults_of(text), "plan.yaml:68: its aliases stand for more than 64 MB; write less by aliases");
}

TEST(Yaml, RefusesAnAliasInsideItself) {
  EXPECT_EQ(faults_of("stages: &x [*x]\n"),
            "plan.yaml:1: an alias stands inside the value that it names; write the value out");
}

TEST(Yaml, MergesMapsInTheOrderOfTheMergeKeySpecification) {
  YamlDocument document =
      parse_yaml("a: &a {k: 1, l: 1}\nb: &b {k: 2, m: 2}\nc:\n  <<: [*a, *b]\n  l: 3\nd: {<<: {n: 4}}\n");
  ASSERT_EQ(format("x", document.faults), "");
  const YamlNode& merged = *document.root->entries[2].value;
  std::string text;
  for (const YamlEntry& entry : merged.entries) text += entry.key + "=" + entry.value->text + " ";
  EXPECT_EQ(text, "l=3 k=1 m=2 ");
  EXPECT_EQ(document.root->entries[3].value->entries[0].key, "n");
  EXPECT_EQ(faults_of("<<: text\n"), "plan.yaml:1: '<<' merges maps; give it an alias of a map, such as <<: *defaults");
}

TEST(Yaml, TakesAQuotedMergeKeyForAWord) {
  YamlDocument document = parse_yaml("\"<<\": {a: 1}\n");
  ASSERT_EQ(document.root->entries.size(), 1u);
  EXPECT_EQ(document.root->entries[0].key, "<<");
}

TEST(Yaml, TellsNullFromText) {
  YamlDocument document = parse_yaml("a: ~\nb: null\nc: \"null\"\nd: \"\"\ne:\n");
  std::vector<YamlNode::Kind> kinds;
  for (const YamlEntry& entry : document.root->entries) kinds.push_back(entry.value->kind);
  using enum YamlNode::Kind;
  EXPECT_EQ(kinds, (std::vector<YamlNode::Kind>{null, null, scalar, scalar, null}));
}

}  // namespace
}  // namespace bernstein::plan
