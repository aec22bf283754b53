#include "bernstein/agent/reset_time.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "bernstein/base/text.hpp"

namespace bernstein::agent {
namespace {

constexpr Micros k_day = 24 * k_hour;

// Behind which a time stands; the most telling ones first. What is joined to them ("resets_in_seconds",
// "reset-requests") and small words ("at", "in") may stand between.
constexpr std::array<std::string_view, 11> k_leads{"retry-after", "retry after", "retry_after",   "retrydelay",
                                                   "retry in",    "try again",   "limit reached", "reset",
                                                   "until",       "available",   "wait"};
constexpr std::array<std::string_view, 9> k_small_words{"at", "in",     "on",    "after", "again",
                                                        "is", "around", "about", "for"};
constexpr std::array<std::string_view, 12> k_months{"jan", "feb", "mar", "apr", "may", "jun",
                                                    "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> k_weekdays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

struct Date {
  std::int64_t year = 0;
  std::int64_t month = 1;  // 1 to 12
  std::int64_t day = 1;
};

// Days since 1970-01-01 in the Gregorian calendar: years are counted from March on, so the day that comes and goes is
// the last one.
std::int64_t days_of(const Date& date) {
  const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t month = (date.month + 9) % 12;  // from March
  const std::int64_t before_month = (153 * month + 2) / 5;
  return 365 * year + year / 4 - year / 100 + year / 400 + before_month + date.day - 1 - 719'468;
}

std::int64_t year_of(std::int64_t days) {
  std::int64_t year = 1970 + days / 366;
  while (days_of({year + 1, 1, 1}) <= days) ++year;
  return year;
}

// Reads from the front of a lower-case text. What is tried and does not fit takes nothing.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  char front() const { return rest_.empty() ? '\0' : rest_.front(); }
  void skip(std::string_view any_of) { rest_.remove_prefix(std::min(rest_.find_first_not_of(any_of), rest_.size())); }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  // The letters at the front, with those of `joined` between them; "" without any.
  std::string_view word(std::string_view joined = "") {
    std::size_t end = 0;
    while (end < rest_.size() && (is_letter(rest_[end]) || joined.find(rest_[end]) != std::string_view::npos)) ++end;
    const std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return found;
  }
  // At most 15 digits: more is no time.
  std::optional<std::int64_t> number(std::size_t digits_min = 1, std::size_t digits_max = 15) {
    std::size_t end = 0;
    std::int64_t value = 0;
    while (end < rest_.size() && is_digit(rest_[end])) {
      if (end < digits_max) value = value * 10 + (rest_[end] - '0');
      ++end;
    }
    if (end < digits_min || end > digits_max) return std::nullopt;
    rest_.remove_prefix(end);
    return value;
  }
  // The digits behind a point, as millionths; 0 without.
  std::int64_t millionths() {
    if (rest_.size() < 2 || rest_[0] != '.' || !is_digit(rest_[1])) return 0;
    rest_.remove_prefix(1);
    std::int64_t value = 0;
    std::int64_t place = 100'000;
    while (is_digit(front())) {
      value += (front() - '0') * place;
      place /= 10;
      rest_.remove_prefix(1);
    }
    return value;
  }

 private:
  std::string_view rest_;
};

template <std::size_t n>
std::optional<std::int64_t> index_of(const std::array<std::string_view, n>& names, std::string_view word) {
  if (word.size() < 3) return std::nullopt;
  const auto found = std::ranges::find(names, word.substr(0, 3));
  if (found == names.end()) return std::nullopt;
  return found - names.begin();
}

// One message, read from behind one of the leading words.
class TimeReader {
 public:
  TimeReader(std::string_view text, WallClock clock) : at_(text), clock_(clock) {}

  std::optional<Micros> read() {
    const std::string_view joined = at_.word("_-");
    skip_to_value();
    for (auto form : {&TimeReader::iso, &TimeReader::written, &TimeReader::by_clock, &TimeReader::span}) {
      Cursor from_here = at_;
      if (std::optional<Micros> wait = (this->*form)(from_here)) return wait;
    }
    return bare_number(joined);
  }

 private:
  void skip_to_value() {
    constexpr std::size_t k_words_max = 4;
    for (std::size_t i = 0; i < k_words_max; ++i) {
      at_.skip(" \t\"'\\:=|,.~");
      Cursor next = at_;
      if (std::ranges::find(k_small_words, next.word()) == k_small_words.end()) return;
      at_ = next;
    }
  }

  Micros local_now() const { return clock_.now_us + clock_.utc_offset_us; }
  Micros from_now(Micros moment_us) const { return std::max<Micros>(moment_us - clock_.now_us, 0); }

  // "2026-11-30t14:05:00.25z", "2026-11-30 14:05"
  std::optional<Micros> iso(Cursor& at) const {
    Date date;
    const auto year = at.number(4, 4);
    if (!year || !at.take("-")) return std::nullopt;
    const auto month = at.number(1, 2);
    if (!month || !at.take("-")) return std::nullopt;
    const auto day = at.number(1, 2);
    date = {*year, *month, day.value_or(0)};
    if (!is_valid(date)) return std::nullopt;
    if (!at.take("t")) at.skip(" ");
    const std::optional<Micros> time = time_of_day(at);
    return moment(date, time.value_or(0), at);
  }

  // "nov 30th, 2026 3:05 pm", "oct 6, 1pm", "oct 6 at 1pm", "mon, 30 nov 2026 14:05:00 gmt", "mon 9:00 am"
  std::optional<Micros> written(Cursor& at) const {
    const std::optional<std::int64_t> weekday = take_name(at, k_weekdays);
    at.skip(" ,");
    std::optional<std::int64_t> day = day_of_month(at);
    const std::optional<std::int64_t> month = take_name(at, k_months);
    at.skip(" .");
    if (month && !day) day = day_of_month(at);
    if (!month) return weekday ? on_weekday(*weekday, at) : std::nullopt;
    if (!day) return std::nullopt;
    at.skip(" ,");
    Cursor behind = at;
    const std::optional<std::int64_t> year = behind.number(4, 4);
    if (year) at = behind;
    skip_to_time(at);
    const std::optional<Micros> time = time_of_day(at);
    Date date{year.value_or(year_of(local_now() / k_day)), *month + 1, *day};
    if (!is_valid(date)) return std::nullopt;
    const bool is_over = !year && days_of(date) * k_day + time.value_or(0) < local_now() - k_day;
    if (is_over) ++date.year;
    return moment(date, time.value_or(0), at);
  }

  std::optional<Micros> on_weekday(std::int64_t weekday, Cursor& at) const {
    skip_to_time(at);
    const std::optional<Micros> time = time_of_day(at);
    if (!time) return std::nullopt;
    const std::int64_t today = local_now() / k_day;
    const std::int64_t ahead = (weekday - (today + 4) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
    return next((today + ahead) * k_day + *time, 7 * k_day, at);
  }

  std::optional<Micros> by_clock(Cursor& at) const {
    const std::optional<Micros> time = time_of_day(at);
    if (!time) return std::nullopt;
    return next(local_now() / k_day * k_day + *time, k_day, at);
  }

  // "2 days 3 hours 5 minutes", "12h34m16s", "1.5 s", "300ms", "1 minute and 20 seconds"
  std::optional<Micros> span(Cursor& at) const {
    Micros total = 0;
    bool any = false;
    while (true) {
      Cursor part = at;
      part.skip(" ,");
      if (part.take("and ")) part.skip(" ");
      const std::optional<std::int64_t> whole = part.number();
      if (!whole) break;
      const std::int64_t millionths = part.millionths();
      part.skip(" ");
      const Micros each = unit(part.word());
      if (each == 0) break;
      any = true;
      total += *whole > k_reset_us_max / each ? k_reset_us_max : *whole * each + millionths * each / 1'000'000;
      total = std::min(total, k_reset_us_max);
      at = part;
    }
    return any ? std::optional(total) : std::nullopt;
  }

  static Micros unit(std::string_view word) {
    constexpr Micros k_millisecond = 1'000;
    if (word == "ms" || word.starts_with("millisecond")) return k_millisecond;
    if (word.starts_with("mo")) return 0;  // no limit is told in months
    if (word.starts_with("s")) return k_second;
    if (word.starts_with("m")) return k_minute;
    if (word.starts_with("h")) return k_hour;
    if (word.starts_with("d")) return k_day;
    if (word.starts_with("w")) return 7 * k_day;
    return 0;
  }

  // Of a number alone its size tells a moment from a span, and the name before it the unit; seconds when neither does.
  std::optional<Micros> bare_number(std::string_view name) {
    constexpr std::int64_t k_a_moment = 1'000'000'000;  // seconds since 1970: in 2001
    constexpr std::int64_t k_a_moment_in_ms = k_a_moment * 1'000;
    const std::optional<std::int64_t> number = at_.number();
    if (!number) return std::nullopt;
    const std::int64_t millionths = at_.millionths();
    if (!is_number_over()) return std::nullopt;
    if (*number >= k_a_moment_in_ms) return from_now(*number * 1'000);
    if (*number >= k_a_moment) return from_now(*number * k_second);
    const Micros each = name.ends_with("_ms") ? 1'000 : k_second;
    return std::min(*number * each + millionths * each / 1'000'000, k_reset_us_max);
  }

  // "5 requests", "25:00", "127.0.0.1" and "2026-13" are no seconds.
  bool is_number_over() const {
    Cursor behind = at_;
    behind.skip(" ");
    const bool is_point = behind.take(".");
    const char next = behind.front();
    return is_point ? !is_digit(next)
                    : !is_letter(next) && std::string_view(":-/%").find(next) == std::string_view::npos;
  }

  // "3pm", "3:05 pm", "14:05", "14:05:30.5": since midnight. A number alone is none.
  static std::optional<Micros> time_of_day(Cursor& from) {
    Cursor at = from;
    const std::optional<std::int64_t> hours = at.number(1, 2);
    if (!hours) return std::nullopt;
    std::int64_t hour = *hours;
    Micros rest = 0;
    const bool has_minutes = at.take(":");
    if (has_minutes) {
      const std::optional<std::int64_t> minutes = at.number(2, 2);
      if (!minutes || *minutes >= 60) return std::nullopt;
      rest += *minutes * k_minute;
      Cursor behind = at;
      if (behind.take(":")) {
        const std::optional<std::int64_t> seconds = behind.number(2, 2);
        if (!seconds || *seconds >= 60) return std::nullopt;
        rest += *seconds * k_second + behind.millionths();
        at = behind;
      }
    }
    Cursor behind = at;
    behind.skip(" ");
    const std::string_view half = behind.word(".");
    const bool is_pm = half == "pm" || half == "p.m." || half == "pm.";
    const bool is_am = half == "am" || half == "a.m." || half == "am.";
    if (is_pm || is_am) {
      if (hour < 1 || hour > 12) return std::nullopt;
      hour = hour % 12 + (is_pm ? 12 : 0);
      at = behind;
    } else if (!has_minutes || hour > 23) {
      return std::nullopt;
    }
    from = at;
    return hour * k_hour + rest;
  }

  // "z", "utc", "(gmt)", "+01:00", "-0500": ahead of UTC; the local offset where it does not say or is not known.
  Micros offset(Cursor& at) const {
    at.skip(" (");
    const bool is_east = at.front() == '+';
    if (is_east || at.front() == '-') {
      at.skip("+-");
      const std::optional<std::int64_t> digits = Cursor(at).number(4, 4);
      const std::optional<std::int64_t> hours = digits ? *digits / 100 : at.number(2, 2);
      if (!hours) return clock_.utc_offset_us;
      const std::int64_t minutes = digits ? *digits % 100 : (at.take(":") ? at.number(2, 2).value_or(0) : 0);
      const Micros ahead = *hours * k_hour + minutes * k_minute;
      return is_east ? ahead : -ahead;
    }
    const std::string_view zone = at.word("/_");
    return zone == "z" || zone == "utc" || zone == "gmt" ? 0 : clock_.utc_offset_us;
  }

  std::optional<Micros> moment(const Date& date, Micros time, Cursor& at) const {
    return from_now(days_of(date) * k_day + time - offset(at));
  }

  // The next such time, where `local_us` is one of those that come again every `period`.
  std::optional<Micros> next(Micros local_us, Micros period, Cursor& at) const {
    Micros left = local_us - offset(at) - clock_.now_us;
    while (left < -k_just_passed_us) left += period;
    while (left - period >= -k_just_passed_us) left -= period;  // the day there is another than here
    return std::max<Micros>(left, 0);
  }

  template <std::size_t n>
  static std::optional<std::int64_t> take_name(Cursor& from, const std::array<std::string_view, n>& names) {
    Cursor at = from;
    at.skip(" ");
    const std::optional<std::int64_t> found = index_of(names, at.word());
    if (found) from = at;
    return found;
  }

  // "30", "30th", "6 de"
  static std::optional<std::int64_t> day_of_month(Cursor& from) {
    Cursor at = from;
    const std::optional<std::int64_t> day = at.number(1, 2);
    if (!day || at.front() == ':') return std::nullopt;
    for (const std::string_view ending : {"st", "nd", "rd", "th"}) {
      if (at.take(ending)) break;
    }
    if (is_letter(at.front())) return std::nullopt;  // "3pm"
    from = at;
    return day;
  }

  static void skip_to_time(Cursor& at) {
    at.skip(" ,");
    Cursor behind = at;
    if (behind.word() == "at") at = behind;
    at.skip(" ");
  }

  static bool is_valid(const Date& date) {
    return date.year >= 1970 && date.month >= 1 && date.month <= 12 && date.day >= 1 && date.day <= 31;
  }

  Cursor at_;
  WallClock clock_;
};

}  // namespace

std::optional<Micros> reset_wait(std::string_view message, WallClock clock) {
  const std::string lowered = lower_case(message);
  for (const std::string_view lead : k_leads) {
    for (std::size_t at = lowered.find(lead); at != std::string::npos; at = lowered.find(lead, at + 1)) {
      if (at > 0 && is_letter(lowered[at - 1])) continue;  // ECONNRESET
      const std::string_view behind = std::string_view(lowered).substr(at + lead.size());
      if (const std::optional<Micros> wait = TimeReader(behind, clock).read()) return std::min(*wait, k_reset_us_max);
    }
  }
  return std::nullopt;
}

}  // namespace bernstein::agent
