// A log whose bytes were changed or cut off behind its back: whoever folds it is told, or sees the state that was
// written. BERNSTEIN_DAMAGES=1000 for a thorough look, BERNSTEIN_SEED to see one again.
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <optional>

#include "bernstein/event/codec.hpp"
#include "bernstein/run/audit.hpp"
#include "bernstein/run/replay.hpp"
#include "bernstein/store/store.hpp"
#include "support/builders.hpp"
#include "support/dice.hpp"
#include "support/temp_directory.hpp"

namespace bernstein::test {
namespace {

namespace fs = std::filesystem;

// A run of so many tasks, some of which fail, as records that continue a log.
std::vector<Record> a_run(RunId run, const port::LogHead& before, std::uint32_t tasks) {
  World world(a_config().with_agents(3).with_attempts(2).with_gate(a_command("tests")), run);
  std::vector<TaskSpec> specs;
  for (std::uint32_t i = 1; i <= tasks; ++i)
    specs.push_back(a_task(i).titled("Task number " + std::to_string(i)).owning("src/" + std::to_string(i) + "/"));
  world.start(specs);
  world.run([&](const RunState&, const OpenIntent& intent) -> std::optional<EventBody> {
    if (intent.subject.task.number % 4 == 0 && std::holds_alternative<SpawnRequested>(intent.body)) return an_exit(1);
    return world.success(intent);
  });
  std::vector<Record> records;
  Digest prev = run_genesis(run, before.last_hash);
  for (Event event : world.log()) {
    event.seq += before.last_seq;
    if (event.cause != 0) event.cause += before.last_seq;
    event.run = run;
    Record record = to_record(event);
    record.prev_hash = prev;
    prev = record.hash = chain_hash(record);
    records.push_back(std::move(record));
  }
  return records;
}

// What people and programs take from a log: every event, and the folded state of every run. An error where they are
// told.
struct Looked {
  std::vector<Record> records;
  std::map<RunId, std::string> state_hashes;
  bool operator==(const Looked&) const = default;
};

Result<std::string> folded(port::EventReader& reader, RunId run) {
  BERNSTEIN_TRY(const run::ReplayReport report, run::replay(reader, run));
  if (report.divergences > 0)
    return Error{ErrorCode::corrupt, "diverged at event " + std::to_string(report.first_divergence->seq)};
  return report.state_hash;
}

Result<Looked> look(port::EventReader& reader) {
  Looked looked;
  BERNSTEIN_TRY(const std::vector<RunId> runs, reader.runs());
  for (const RunId run : runs) {
    BERNSTEIN_TRY(looked.state_hashes[run], folded(reader, run));
  }
  BERNSTEIN_TRY(const run::AuditReport audit, run::audit(reader, {}));
  if (!audit.ok()) return Error{ErrorCode::corrupt, "event " + std::to_string(audit.first_bad->seq)};
  BERNSTEIN_TRY_VOID(reader.read_all([&](const Record& record) { return looked.records.push_back(record), true; }));
  return looked;
}

class Damage : public testing::Test {
 protected:
  // As a crash leaves it: the first run in the database, the second one for the most part in the -wal.
  Damage() {
    const std::string path = live("state.db");
    {
      auto log = store::open_log(path).value();
      EXPECT_TRUE(log->append(a_run(RunId{1}, {}, 12)));
    }
    auto log = store::open_log(path).value();
    const std::vector<Record> second = a_run(RunId{2}, log->head().value(), 6);
    for (std::size_t at = 0; at < second.size(); at += 7) {
      EXPECT_TRUE(log->append(std::span(second).subspan(at, std::min<std::size_t>(7, second.size() - at))));
    }
    for (const char* suffix : k_suffixes) {
      fs::create_directory(directory_.path() / "crashed");
      fs::copy_file(path + suffix, crashed(suffix));
    }
    whole_ = look(*log).value();
  }

  std::string live(const std::string& name) {
    fs::create_directories(directory_.path() / "live");
    return (directory_.path() / "live" / name).string();
  }
  std::string crashed(const std::string& suffix) {
    return (directory_.path() / "crashed" / "state.db").string() + suffix;
  }
  std::string copy(const std::string& suffix) { return (directory_.path() / "copy" / "state.db").string() + suffix; }

  void copy_afresh() {
    fs::remove_all(directory_.path() / "copy");
    fs::copy(directory_.path() / "crashed", directory_.path() / "copy");
  }

  static constexpr const char* k_suffixes[] = {"", "-wal", "-seq"};
  const TempDirectory directory_;
  Looked whole_;
};

// One change to a file, in words.
std::string damage(const std::string& path, std::mt19937_64& random) {
  std::string bytes = read_file(path);
  const std::size_t at = random() % bytes.size();
  std::string what;
  switch (random() % 5) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
      what = "a bit flipped";
      break;
    case 1:
      bytes[at] = static_cast<char>(random());
      what = "a byte changed";
      break;
    case 2:
      for (std::size_t i = at; i < std::min(bytes.size(), at + 16); ++i) bytes[i] = static_cast<char>(random());
      what = "16 bytes changed";
      break;
    case 3:
      for (std::size_t i = at / 512 * 512; i < std::min(bytes.size(), at / 512 * 512 + 512); ++i) bytes[i] = 0;
      what = "a sector of zeros";
      break;
    default:
      bytes.resize(random() % 4 == 0 ? at / 4096 * 4096 : at);
      what = "cut off";
  }
  write_file(path, bytes);
  return what + " at " + std::to_string(at) + " of " + fs::path(path).filename().string();
}

struct Tally {
  int told = 0;       // whoever looks gets an error, or the audit names an event
  int harmless = 0;   // everything is as it was written
  int silent = 0;     // neither
  std::string first;  // of the silent ones

  void add(const std::optional<bool>& was_told, const std::string& what) {
    if (was_told) {
      ++(*was_told ? told : harmless);
    } else if (++silent == 1) {
      first = what;
    }
  }
};

void print(int damages, const Tally& tally) {
  std::cout << damages << " damages: " << tally.told << " told, " << tally.harmless << " harmless, " << tally.silent
            << " silent\n";
}

Result<std::unique_ptr<port::EventReader>> open(const std::string& path, bool to_write) {
  if (!to_write) return store::open_reader(path);
  BERNSTEIN_TRY(std::unique_ptr<port::EventReader> log, store::open_log(path));
  return log;
}

// Whether somebody who goes on with the copy, or looks at it, is told. Nothing: they see what was not written.
std::optional<bool> is_told(const std::string& path, bool to_write, const Looked& whole) {
  const auto reader = open(path, to_write);
  if (!reader) return true;
  // Each run for itself: what one of them hides is not excused by a fault of the other.
  for (const auto& [run, state_hash] : whole.state_hashes) {
    const Result<std::string> state = folded(**reader, run);
    if (state && *state != state_hash) return std::nullopt;
  }
  const Result<Looked> looked = look(**reader);
  if (!looked) return true;
  return *looked == whole ? std::optional(false) : std::nullopt;
}

TEST_F(Damage, IsToldOrChangesNothing) {
  std::mt19937_64 random(seed_of_test());
  ASSERT_EQ(whole_.state_hashes.size(), 2U);
  const int damages = times("BERNSTEIN_DAMAGES", 100);
  Tally tally;

  for (int i = 0; i < damages; ++i) {
    copy_afresh();
    // Four of ten in the -wal, which holds the end of the log; now and then the note of the last event itself.
    const std::uint64_t where = random() % 20;
    const std::string what = damage(copy(where < 11 ? "" : where < 19 ? "-wal" : "-seq"), random);
    const bool to_write = random() % 2 == 0;
    tally.add(is_told(copy(""), to_write, whole_), "damage " + std::to_string(i) + ", " + what);
  }

  print(damages, tally);
  EXPECT_EQ(tally.silent, 0) << tally.first;
  EXPECT_GT(tally.told, damages / 2);
}

// Why there is a note, and that this test sees what it is for: SQLite drops the damaged end of a -wal without a word.
TEST_F(Damage, OfTheWalIsSilentWithoutTheNote) {
  std::mt19937_64 random(seed_of_test());
  Tally tally;

  for (int i = 0; i < 20; ++i) {
    copy_afresh();
    fs::remove(copy("-seq"));
    const std::string what = damage(copy("-wal"), random);
    tally.add(is_told(copy(""), false, whole_), what);
  }

  print(20, tally);
  EXPECT_GT(tally.silent, 0);
}

}  // namespace
}  // namespace bernstein::test
