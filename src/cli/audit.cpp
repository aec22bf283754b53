// audit: prints what run/audit.hpp finds in the log and run/audit_repository.hpp in git.

#include "bernstein/run/audit.hpp"

#include <limits>
#include <nlohmann/json.hpp>
#include <ostream>

#include "anchors.hpp"
#include "bernstein/cli/commands.hpp"
#include "bernstein/git/workspace.hpp"
#include "bernstein/run/audit_repository.hpp"
#include "names.hpp"
#include "open_workspace.hpp"
#include "print.hpp"

namespace bernstein::cli {
namespace {

using Json = nlohmann::ordered_json;

// The log up to the last event of a run: its chain stands on all that came before it, and on nothing after.
class LogUpTo : public port::EventReader {
 public:
  LogUpTo(port::EventReader& whole, Seq last) : whole_(whole), last_(last) {}

  Result<port::LogHead> head() override { return whole_.head(); }
  Result<std::vector<RunId>> runs() override { return whole_.runs(); }
  Status read(RunId run, const std::function<bool(const Record&)>& visit) override {
    return whole_.read(run, [&](const Record& record) { return record.seq <= last_ && visit(record); });
  }
  Status read_all(const std::function<bool(const Record&)>& visit) override {
    return whole_.read_all([&](const Record& record) { return record.seq <= last_ && visit(record); });
  }
  Result<Seq> find_passed(const std::string& key) override { return whole_.find_passed(key); }
  Result<std::optional<Resolution>> find_resolution(const ConflictedPath& conflict) override {
    return whole_.find_resolution(conflict);
  }
  Result<port::Table> query(const std::string& sql) override { return whole_.query(sql); }

 private:
  port::EventReader& whole_;
  Seq last_;
};

Result<Seq> last_seq_of(port::EventReader& reader, RunId run) {
  Seq last = 0;
  BERNSTEIN_TRY_VOID(reader.read(run, [&](const Record& record) {
    last = record.seq;
    return true;
  }));
  return last;
}

// What the log says and what git says.
struct Audit {
  run::AuditReport log;
  std::vector<run::Finding> git;  // none when the log itself is bad: then it is no witness

  // The first thing that must not be.
  std::optional<run::BadEvent> first_bad() const {
    if (log.first_bad) return log.first_bad;
    for (const run::Finding& finding : git) {
      if (finding.violation) return run::BadEvent{finding.seq, finding.what};
    }
    return std::nullopt;
  }
};

Result<Audit> audit_all(const Home& home, port::EventReader& log, const Anchors& anchors, std::optional<RunId> only) {
  Audit audit;
  BERNSTEIN_TRY(audit.log, run::audit(log, anchors));
  if (!audit.log.ok()) return audit;
  const run::Claims& claims = audit.log.claims;
  BERNSTEIN_TRY(const port::RepositoryFacts facts, git::gather_facts(home.root, run::questions_of(claims)));
  audit.git = run::audit_repository(claims, facts);
  if (only) std::erase_if(audit.git, [&](const run::Finding& finding) { return finding.run != *only; });
  return audit;
}

std::string report_json(const Audit& audit) {
  const std::optional<run::BadEvent> bad = audit.first_bad();
  Json json;
  json["ok"] = !bad;
  json["events"] = audit.log.events;
  Json& first = json["first_bad"] = nullptr;
  if (bad) {
    first = Json::object();
    first["seq"] = bad->seq;
    first["what"] = bad->what;
  }
  Json& git = json["git"] = Json::array();
  for (const run::Finding& finding : audit.git) {
    git.push_back({{"kind", to_word(finding.kind)},
                   {"violation", finding.violation},
                   {"seq", finding.seq},
                   {"what", finding.what}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void print_report(std::ostream& out, const Screen& screen, const Audit& audit, std::size_t anchors) {
  const auto print_fault = [&](const run::BadEvent& bad) {
    out << paint(screen, Tint::bad, "fault at event " + std::to_string(bad.seq)) << ": " << one_line(bad.what) << '\n';
  };
  if (audit.log.first_bad) return print_fault(*audit.log.first_bad);
  if (!audit.first_bad()) {
    out << paint(screen, Tint::good, "ok") << ": " << counted(audit.log.events, "event") << ", "
        << counted(static_cast<std::int64_t>(anchors), "anchor") << ": hashes, chain, clocks and invariants hold\n";
  }
  for (const run::Finding& finding : audit.git) {
    if (finding.violation) {
      print_fault({finding.seq, finding.what});
    } else {
      out << "note: " << one_line(finding.what) << '\n';
    }
  }
}

}  // namespace

Result<Exit> audit_command(Context& context, const AuditOptions& options) {
  BERNSTEIN_TRY(const Home home, open_workspace(context));
  BERNSTEIN_TRY(Anchors anchors, read_anchors(home));
  std::optional<RunId> only;
  if (!options.run.empty()) {
    BERNSTEIN_TRY(only, find_run(*home.reader, options.run, std::nullopt));
    std::erase_if(anchors, [&](const auto& anchor) { return anchor.first != *only; });
  }
  Seq last = std::numeric_limits<Seq>::max();
  if (only) {
    BERNSTEIN_TRY(last, last_seq_of(*home.reader, *only));
  }
  LogUpTo log(*home.reader, last);
  BERNSTEIN_TRY(const Audit audit, audit_all(home, log, anchors, only));
  if (context.json) {
    context.out << report_json(audit) << '\n';
  } else {
    print_report(context.out, screen_of(context), audit, anchors.size());
  }
  return audit.first_bad() ? Exit::diverged : Exit::done;
}

}  // namespace bernstein::cli
