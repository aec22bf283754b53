// clean: removes what attempts that have ended left behind. Salvage refs stay, and so does whatever is not saved yet.

#include <nlohmann/json.hpp>
#include <ostream>

#include "bernstein/cli/commands.hpp"
#include "bernstein/store/store.hpp"
#include "leftovers.hpp"
#include "open_workspace.hpp"
#include "print.hpp"

namespace bernstein::cli {
namespace {

using Json = nlohmann::ordered_json;

Status remove(const Home& home, port::Workspace& repository, const Leftover& leftover) {
  switch (leftover.what) {
    case Leftover::What::session:
      BERNSTEIN_TRY_VOID(repository.remove_session(leftover.name));
      // "session-r1-t4.2" had the candidate "r1-t4.2".
      return repository.drop_candidate(leftover.name.substr(leftover.name.find('-') + 1));
    case Leftover::What::checkout:
      return repository.remove_checkout(leftover.name);
    case Leftover::What::shared:
    case Leftover::What::trash:
      empty_shared(home, leftover.name);
      break;
  }
  return Ok{};
}

std::uint64_t total_bytes(const std::vector<Leftover>& leftovers) {
  std::uint64_t bytes = 0;
  for (const Leftover& leftover : leftovers) bytes += leftover.bytes;
  return bytes;
}

std::string report_json(const Leftovers& report, bool dry_run) {
  Json json;
  json["dry_run"] = dry_run;
  json["count"] = report.finished.size();
  json["bytes"] = total_bytes(report.finished);
  Json& removed = json["removed"] = Json::array();
  for (const Leftover& leftover : report.finished)
    removed.push_back({{"name", leftover.name}, {"bytes", leftover.bytes}});
  Json& kept = json["kept"] = Json::array();
  for (const Kept& thing : report.kept) kept.push_back({{"name", thing.name}, {"why", thing.why}});
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void print_report(std::ostream& out, const Leftovers& report, bool dry_run) {
  for (const Leftover& leftover : report.finished) {
    out << (dry_run ? "would remove " : "removed ") << one_line(leftover.name) << "  " << format_bytes(leftover.bytes)
        << '\n';
  }
  for (const Kept& thing : report.kept) out << "kept " << one_line(thing.name) << ": " << one_line(thing.why) << '\n';
  if (report.finished.empty()) {
    out << "nothing to remove\n";
    return;
  }
  out << (dry_run ? "would free " : "freed ") << format_bytes(total_bytes(report.finished)) << " in "
      << counted(static_cast<std::int64_t>(report.finished.size()), "place") << "; salvage refs stay\n";
}

}  // namespace

Result<Exit> clean_command(Context& context, const CleanOptions& options) {
  BERNSTEIN_TRY(const Home home, open_workspace(context));
  BERNSTEIN_TRY(const std::unique_ptr<store::Lock> lock, store::acquire_lock(home.sdd + "/lock"));
  BERNSTEIN_TRY(Leftovers found, find_leftovers(home));
  Leftovers report{.finished = {}, .kept = std::move(found.kept)};
  if (options.dry_run) {
    report.finished = std::move(found.finished);
  } else {
    BERNSTEIN_TRY(const std::unique_ptr<port::Workspace> repository, open_repository(home));
    for (Leftover& leftover : found.finished) {
      if (const Status removed = remove(home, *repository, leftover); removed) {
        report.finished.push_back(std::move(leftover));
      } else {
        report.kept.push_back({leftover.name, removed.error().message});
      }
    }
    empty_shared(home, "pool");  // what was removed just now may have gone there
  }
  if (context.json) {
    context.out << report_json(report, options.dry_run) << '\n';
  } else {
    print_report(context.out, report, options.dry_run);
  }
  return Exit::done;
}

}  // namespace bernstein::cli
