// audit: prints what run/audit.hpp finds.

#include "bernstein/run/audit.hpp"

#include <limits>
#include <nlohmann/json.hpp>
#include <ostream>

#include "anchors.hpp"
#include "bernstein/cli/commands.hpp"
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

std::string report_json(const run::AuditReport& report) {
  Json json;
  json["ok"] = report.ok();
  json["events"] = report.events;
  Json& first = json["first_bad"] = nullptr;
  if (report.first_bad) {
    first = Json::object();
    first["seq"] = report.first_bad->seq;
    first["what"] = report.first_bad->what;
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void print_report(std::ostream& out, const Screen& screen, const run::AuditReport& report, std::size_t anchors) {
  if (report.ok()) {
    out << paint(screen, Tint::good, "ok") << ": " << counted(report.events, "event") << ", "
        << counted(static_cast<std::int64_t>(anchors), "anchor") << ": hashes, chain, clocks and invariants hold\n";
    return;
  }
  out << paint(screen, Tint::bad, "fault at event " + std::to_string(report.first_bad->seq)) << ": "
      << one_line(report.first_bad->what) << '\n';
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
  BERNSTEIN_TRY(const run::AuditReport report, run::audit(log, anchors));
  if (context.json) {
    context.out << report_json(report) << '\n';
  } else {
    print_report(context.out, screen_of(context), report, anchors.size());
  }
  return report.ok() ? Exit::done : Exit::diverged;
}

}  // namespace bernstein::cli
