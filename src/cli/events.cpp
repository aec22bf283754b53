// events: the log of a run, a line an event.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "bernstein/cli/commands.hpp"
#include "bernstein/event/codec.hpp"
#include "names.hpp"
#include "open_workspace.hpp"
#include "print.hpp"
#include "words.hpp"

namespace bernstein::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string quoted(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The columns of the events table. The payload is canonical JSON and goes out byte for byte; one that is none (the log
// was tampered with) goes out as text, so that the line stays JSON.
std::string json_line(const Record& record) {
  const std::string payload = Json::accept(record.payload) ? record.payload : quoted(record.payload);
  return fmt::format(
      R"({{"seq":{},"run":"{}","run_seq":{},"kind":"{}","type":{},"version":{},"cause":{},"subject":{},"at_us":{},)"
      R"("wall_us":{},"payload":{},"prev_hash":"{}","hash":"{}"}})",
      record.seq, to_string(record.run), record.run_seq, to_word(record.kind), quoted(record.type), record.version,
      record.cause, quoted(record.subject), record.at_us, record.wall_us, payload, to_hex(record.prev_hash),
      to_hex(record.hash));
}

std::string text_line(const Record& record) {
  const Result<Event> event = to_event(record);
  const std::string summary = event ? summary_of(event->body) : "cannot be read: " + event.error().message;
  return fmt::format("{:>6}  {:>8}  {:<8}  {:<6}  {:<23}  {}", record.seq, format_offset(record.at_us),
                     to_word(record.kind), one_line(record.subject), one_line(record.type), one_line(summary));
}

Tint tint_of(Kind kind) {
  switch (kind) {
    case Kind::input:
      return Tint::busy;
    case Kind::intent:
      return Tint::faint;
    case Kind::decision:
    case Kind::result:
    case Kind::count_:
      break;
  }
  return Tint::plain;
}

}  // namespace

Result<Exit> events_command(Context& context, const LookOptions& options) {
  BERNSTEIN_TRY(const Home home, open_workspace(context));
  BERNSTEIN_TRY(const RunId run, find_run(*home.reader, options.run, options.at));
  const Screen screen = screen_of(context);
  BERNSTEIN_TRY_VOID(home.reader->read(run, [&](const Record& record) {
    if (options.at && record.seq > *options.at) return false;
    if (context.json) {
      context.out << json_line(record) << '\n';
    } else {
      std::string line = text_line(record);
      if (screen.width > 0) line = fit(line, screen.width);
      while (line.ends_with(' ')) line.pop_back();
      context.out << paint(screen, tint_of(record.kind), std::move(line)) << '\n';
    }
    return context.out.good();
  }));
  return Exit::done;
}

}  // namespace bernstein::cli
