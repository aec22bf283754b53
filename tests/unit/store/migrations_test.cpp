#include "store/migrations.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "bernstein/base/sha256.hpp"
#include "bernstein/store/store.hpp"
#include "support/temp_directory.hpp"
#include "unit/store/shell.hpp"

namespace bernstein::store {
namespace {

namespace fs = std::filesystem;

const fs::path k_directory = fs::path(BERNSTEIN_SOURCE_DIRECTORY) / "migrations";

TEST(Migrations, AreTheFilesByteForByteInOrder) {
  std::set<std::string> files;
  for (const auto& entry : fs::directory_iterator(k_directory)) files.insert(entry.path().stem());
  std::vector<std::string> embedded;
  for (const EmbeddedText& migration : migrations()) {
    embedded.emplace_back(migration.name);
    EXPECT_EQ(migration.text, test::read_file(k_directory / (std::string(migration.name) + ".sql"))) << migration.name;
  }
  EXPECT_EQ(embedded, std::vector<std::string>(files.begin(), files.end()));
}

// A database that has one of these was made from exactly this text. After a release, change it with a new file.
TEST(Migrations, AreNotChangedOnceTheyAreReleased) {
  const std::map<std::string, std::string> pinned = {
      {"0001_events", "f9f3486d2ce06bf4ac05a8087c91274aeffeb2c25ab199a8da5c657066661129"},
      {"0002_views", "8f54dfa99b29797db9ae5467881f559cfbee53c2422a91e6fe97704d609ae450"},
      {"0003_recall", "ec13f309ccd015d6f7567e1335654abd13985033df231f2259aa8553eb7ec11b"},
      {"0004_rewards", "835c196b25496d8a45f7751003f13e3c7762a82ab73d50cec8e9742589fd4e40"},
  };
  std::map<std::string, std::string> actual;
  for (const EmbeddedText& migration : migrations()) actual.emplace(migration.name, to_hex(sha256(migration.text)));
  EXPECT_EQ(actual, pinned);
}

TEST(Migrations, AreAppliedOnceAndNoted) {
  const test::TempDirectory directory;
  const std::string path = (directory.path() / "state.db").string();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(open_log(path));
  EXPECT_EQ(test::sqlite3_shell(path, "SELECT name FROM schema_migrations").output,
            "0001_events\n0002_views\n0003_recall\n0004_rewards\n");
}

TEST(Migrations, AreCompletedWhereAnOlderVersionStopped) {
  const test::TempDirectory directory;
  const std::string path = (directory.path() / "state.db").string();
  ASSERT_TRUE(open_log(path));
  ASSERT_EQ(test::sqlite3_shell(path,
                                "DELETE FROM schema_migrations WHERE name = '0002_views';"
                                "DROP VIEW tasks; DROP VIEW attempts; DROP VIEW runs; DROP VIEW routes;"
                                "DROP VIEW checks; DROP VIEW merges; DROP VIEW costs; DROP VIEW flaky_checks")
                .exit_code,
            0);
  ASSERT_TRUE(open_log(path));
  EXPECT_EQ(test::sqlite3_shell(path, "SELECT count(*) FROM tasks").output, "0\n");
}

TEST(Migrations, MakeTheTableAndViewsThatAreDocumented) {
  const test::TempDirectory directory;
  const std::string path = (directory.path() / "state.db").string();
  ASSERT_TRUE(open_log(path));
  const auto columns = [&](const std::string& name) {
    return test::sqlite3_shell(path, "SELECT group_concat(name, ', ') FROM pragma_table_info('" + name + "')").output;
  };
  EXPECT_EQ(columns("events"),
            "seq, run, run_seq, kind, type, version, cause, subject, at_us, wall_us, payload, prev_hash, hash\n");
  EXPECT_EQ(columns("runs"), "run, goal, outcome, started_us, ended_us, tasks, landed, failed, cost_micros\n");
  EXPECT_EQ(columns("tasks"), "run, task, title, role, status, attempts, agent, model, cost_micros, commit_id\n");
  EXPECT_EQ(columns("attempts"),
            "run, task, attempt, agent, model, started_us, ended_us, outcome, exit_code, input_tokens, output_tokens, "
            "cached_tokens, cost_micros, cost_source\n");
  EXPECT_EQ(columns("routes"), "run, task, attempt, arm, rule, propensity, features, scores\n");
  EXPECT_EQ(columns("checks"), "run, task, attempt, name, tree, verdict, duration_us, cached\n");
  EXPECT_EQ(columns("merges"), "run, task, attempt, commit_id, parent_id, tree, landed_us\n");
  EXPECT_EQ(columns("costs"),
            "run, day, role, task, attempt, agent, model, input_tokens, output_tokens, cost_micros\n");
}

}  // namespace
}  // namespace bernstein::store
