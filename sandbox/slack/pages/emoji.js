// Short names people and bots use most, as characters.
const EMOJI = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", eyes: "👀", white_check_mark: "✅", heavy_check_mark: "✔️",
  x: "❌", warning: "⚠️", tada: "🎉", fire: "🔥", heart: "❤️", rocket: "🚀", robot_face: "🤖", thinking_face: "🤔",
  hourglass: "⌛", hourglass_flowing_sand: "⏳", mag: "🔍", memo: "📝", pencil: "✏️", pencil2: "✏️", link: "🔗",
  calendar: "📅", date: "📅", clock1: "🕐", speech_balloon: "💬", studio_microphone: "🎙️", microphone: "🎤",
  headphones: "🎧", movie_camera: "🎥", page_facing_up: "📄", books: "📚", book: "📖", bookmark: "🔖", bulb: "💡",
  question: "❓", exclamation: "❗", information_source: "ℹ️", lock: "🔒", key: "🔑", bell: "🔔", pushpin: "📌",
  paperclip: "📎", arrow_right: "➡️", arrow_up: "⬆️", arrow_down: "⬇️", star: "⭐", sparkles: "✨", wave: "👋",
  pray: "🙏", clap: "👏", raised_hands: "🙌", ok_hand: "👌", smile: "😄", slightly_smiling_face: "🙂", sweat_smile: "😅",
  joy: "😂", wink: "😉", disappointed: "😞", cry: "😢", heart_eyes: "😍", point_right: "👉", no_entry: "⛔",
  stopwatch: "⏱️", chart_with_upwards_trend: "📈", wastebasket: "🗑️", gear: "⚙️", busts_in_silhouette: "👥", 100: "💯",
  large_green_circle: "🟢", large_yellow_circle: "🟡", red_circle: "🔴", ballot_box_with_check: "☑️", dart: "🎯",
};

export function emoji(name) {
  return EMOJI[name] ?? null;
}
