#include "doctor_workspace.hpp"

#include <algorithm>
#include <iterator>
#include <map>

#include "drive.hpp"
#include "fold.hpp"
#include "leftovers.hpp"
#include "print.hpp"

namespace bernstein::cli {
namespace {

using Findings = std::vector<Finding>;

constexpr std::size_t k_kept_named_max = 3;

// How the last thing that each run did about its own life was: RunStarted, RunFinished or RunResumed.
struct RunLife {
  std::string run;
  std::string type;
  std::string outcome;
};

Result<std::vector<RunLife>> lives_of(port::EventReader& reader) {
  BERNSTEIN_TRY(const port::Table table,
                reader.query("SELECT run, type, json_extract(payload, '$.outcome') FROM events WHERE seq IN "
                             "(SELECT max(seq) FROM events WHERE type IN ('RunStarted', 'RunFinished', 'RunResumed') "
                             "GROUP BY run) ORDER BY seq"));
  std::vector<RunLife> lives;
  for (const auto& row : table.rows) lives.push_back({row[0].text, row[1].text, row[2].text});
  return lives;
}

Result<Findings> check_runs(const Home& home, const std::optional<store::Owner>& owner) {
  Findings findings;
  BERNSTEIN_TRY(const std::vector<RunLife> lives, lives_of(*home.reader));
  const std::map<std::string, std::uint32_t> alone = living_commands(home.sdd);
  for (const RunLife& life : lives) {
    const bool is_latest = &life == &lives.back();
    const bool has_ended = life.type == "RunFinished";
    const std::string resume = "bernstein resume " + life.run;
    if (owner && owner->run == life.run) {
      const std::optional<RunId> run = parse_run_id(life.run);
      BERNSTEIN_TRY(const Picture picture, take_picture(*home.reader, run.value_or(RunId{}), std::nullopt));
      const std::string who = ", process " + std::to_string(owner->pid);
      findings.push_back(picture.state.paused ? Finding{"workspace", Grade::warn, life.run + " is paused" + who, resume}
                                              : Finding{"workspace", Grade::ok, life.run + " is at work" + who, ""});
    } else if (!has_ended) {
      const auto left = alone.find(life.run);
      findings.push_back(
          {"workspace", Grade::warn,
           life.run + " was interrupted" + (left == alone.end() ? "" : ", and " + commands_go_on_alone(left->second)),
           resume});
    } else if (is_latest && life.outcome != "landed" && life.outcome != "incomplete") {
      const std::optional<RunId> run = parse_run_id(life.run);
      BERNSTEIN_TRY(const Picture picture, take_picture(*home.reader, run.value_or(RunId{}), std::nullopt));
      if (awaits_approval(picture.state)) {
        findings.push_back({"workspace", Grade::warn, life.run + " has a plan that waits for a look",
                            "bernstein approve " + life.run});
        continue;
      }
      findings.push_back({"workspace", Grade::warn, life.run + " has not come to its end: " + life.outcome, resume});
    }
  }
  return findings;
}

Result<Findings> check_leftovers(const Home& home) {
  Findings findings;
  BERNSTEIN_TRY(const Leftovers left, find_leftovers(home));
  // What a live run has just made is no leftover: it holds the lock before it makes anything.
  if (owner_of(home)) return findings;
  std::uint64_t bytes = 0;
  std::int64_t places = 0;
  for (const Leftover& leftover : left.finished) {
    if (leftover.what == Leftover::What::shared) continue;  // it is of use, and bounded
    bytes += leftover.bytes;
    ++places;
  }
  if (places > 0) {
    findings.push_back({"workspace.leftovers", Grade::warn,
                        counted(places, "place") + " of attempts that have ended, " + format_bytes(bytes),
                        "bernstein clean"});
  }
  if (!left.kept.empty()) {
    std::string fact =
        counted(static_cast<std::int64_t>(left.kept.size()), "place") + " that `bernstein clean` keeps: ";
    for (std::size_t i = 0; i < std::min(left.kept.size(), k_kept_named_max); ++i)
      fact += (i > 0 ? ", " : "") + left.kept[i].name + " (" + left.kept[i].why + ")";
    if (left.kept.size() > k_kept_named_max) fact += ", ...";
    findings.push_back({"workspace.kept", Grade::ok, fact, ""});
  }
  return findings;
}

}  // namespace

Findings check_workspace(const Home& home) {
  const std::optional<store::Owner> owner = owner_of(home);
  Result<Findings> runs = check_runs(home, owner);
  if (!runs) return {finding_of("workspace", Grade::fail, runs.error().message, "bernstein audit")};
  Findings findings = std::move(runs).value();
  if (!owner) {
    Result<Findings> leftovers = check_leftovers(home);
    if (!leftovers) return {finding_of("workspace", Grade::fail, leftovers.error().message, "bernstein audit")};
    std::ranges::move(leftovers.value(), std::back_inserter(findings));
  }
  if (findings.empty()) findings.push_back({"workspace", Grade::ok, "no run is open, and nothing is left over", ""});
  return findings;
}

}  // namespace bernstein::cli
