import { CODE_TEXTS } from "./code-texts.ts";

/** Every text of both pages: English, Korean. */
const TEXTS = {
  skip: ["Skip to content", "본문으로 건너뛰기"],
  language: ["한국어", "English"],
  "log in": ["Log in", "로그인"],
  "log out": ["Log out", "로그아웃"],
  "sign up": ["Sign up", "회원 가입"],
  username: ["User name", "사용자 이름"],
  email: ["E-mail", "이메일"],
  password: ["Password", "비밀번호"],
  "signed in as": ["Signed in as {0}", "{0} 님"],
  "session over": ["Your session is over. Log in again.", "세션이 끝났습니다. 다시 로그인하세요."],
  "to buyers": ["Buyer's page", "구매 페이지"],

  sales: ["Sales", "판매"],
  "new sale": ["New sale", "새 판매"],
  "dead letters": ["Dead letters", "데드 레터"],
  settlements: ["Settlements", "정산"],
  live: ["live", "실시간"],
  together: ["All sales together", "모든 판매"],
  connecting: ["connecting", "연결 중"],
  state: ["State", "상태"],
  scheduled: ["scheduled", "예정"],
  open: ["open", "판매 중"],
  sold_out: ["sold out", "매진"],
  closed: ["closed", "종료"],
  "starts in": ["starts in {0}", "{0} 후 시작"],
  "ends in": ["ends in {0}", "{0} 후 종료"],
  ended: ["ended {0}", "{0} 종료"],
  "sold of": ["{0} of {1} sold", "{1}개 중 {0}개 판매"],
  "no such sale": ["There is no such sale.", "없는 판매입니다."],
  "not live": [
    "It ended a while ago: its orders are not counted live any more.",
    "종료된 지 오래되어 주문을 실시간으로 세지 않습니다.",
  ],
  "no sales": ["No sale is running or coming.", "진행 중이거나 예정된 판매가 없습니다."],
  "older sales": ["Older sales", "지난 판매"],
  more: ["More", "더 보기"],
  "not loaded": ["counters not loaded", "카운터 준비 중"],

  undecided: ["Orders undecided", "미결정 주문"],
  oldest: ["Oldest waits", "최장 대기"],
  lag: ["Worker lag", "워커 지연"],
  "lag unit": ["{0} messages", "{0}건"],
  below: ["< {0}", "{0} 미만"],
  p50: ["Answer p50", "응답 p50"],
  p99: ["Answer p99", "응답 p99"],
  accepted: ["Accepted", "접수"],
  settled: ["Settled", "정산"],
  refused: ["Refused", "거절"],
  "stock left": ["Left", "남은 수량"],
  "per second": ["{0} per second", "초당 {0}"],
  chart: ["Orders per second over the last two minutes", "최근 2분간 초당 주문"],
  consistency: ["Consistency", "정합성"],
  consistent: ["consistent", "일치"],
  inconsistent: ["broken: {0}", "어긋남: {0}"],
  checking: ["checking", "확인 중"],
  unknown: ["unknown", "알 수 없음"],
  "check now": ["Check now", "지금 확인"],
  "checked at": ["checked {0}", "{0} 확인"],
  none: ["none", "없음"],

  "field fault": ["{0}", "이 항목을 확인하세요. {0}"],
  title: ["Title", "제목"],
  price: ["Price", "가격"],
  "price hint": ["in the currency's smallest unit", "통화의 최소 단위"],
  currency: ["Currency", "통화"],
  stock: ["Stock", "수량"],
  "per user": ["Limit per buyer", "1인당 한도"],
  starts: ["Starts", "시작"],
  ends: ["Ends", "종료"],
  "start hint": ["empty: now", "비우면 지금"],
  "end hint": ["empty: 24 hours after the start", "비우면 시작 24시간 후"],
  "open sale": ["Open the sale", "판매 열기"],
  change: ["Change this sale", "판매 변경"],
  "end now": ["End now", "지금 종료"],
  "end now?": ["End this sale now? It cannot be opened again.", "지금 종료할까요? 다시 열 수 없습니다."],
  "keep open": ["Keep it open", "계속 판매"],
  "end at": ["End at", "종료 시각"],
  "end earlier": ["End earlier", "앞당겨 종료"],
  "units to add": ["Units to add", "추가할 수량"],
  "add stock": ["Add stock", "수량 추가"],
  rename: ["Rename", "제목 변경"],
  changed: ["Changed.", "변경했습니다."],
  "settlements of sale": ["Settlements of this sale", "이 판매의 정산"],

  letter: ["Dead letter {0}", "데드 레터 {0}"],
  parked: ["parked", "보관됨"],
  replayed: ["replayed", "재처리됨"],
  discarded: ["discarded", "폐기됨"],
  error: ["Error", "오류"],
  order: ["Order", "주문"],
  place: ["Place in the log", "로그 위치"],
  "parked at": ["Parked", "보관 시각"],
  value: ["Message", "메시지"],
  history: ["History", "이력"],
  replay: ["Replay", "재처리"],
  discard: ["Discard", "폐기"],
  reason: ["Reason", "사유"],
  "no letters": ["There are none.", "없습니다."],
  handled: ["The letter is {0}.", "{0} 상태가 되었습니다."],
  all: ["all", "전체"],

  product: ["Sale", "판매"],
  "all sales": ["All sales", "모든 판매"],
  total: ["Total", "합계"],
  count: ["Settlements", "건수"],
  amount: ["Amount", "금액"],
  user: ["User", "사용자"],
  "settled at": ["Settled at", "정산 시각"],
  csv: ["Download CSV", "CSV 내려받기"],
  "csv coming": ["The file is being made…", "파일을 만드는 중…"],
  "csv there": ["{0} has come whole.", "{0} 파일을 온전히 받았습니다."],
  "control sheet": ["Control sheet of {0}", "{0} 대조표"],
  "taken at": ["As of", "기준 시각"],
  ids: ["First and last id", "첫 번호와 마지막 번호"],
  bytes: ["Bytes", "바이트"],
  "no settlements": ["No settlements yet.", "아직 정산이 없습니다."],

  "now on sale": ["On sale now", "판매 중"],
  next: ["Next", "예정"],
  over: ["Over", "종료된 판매"],
  "nothing now": ["Nothing is on sale right now.", "지금 판매 중인 상품이 없습니다."],
  buy: ["Buy", "구매"],
  "buy title": ["Buy {0}", "{0} 구매"],
  "log in to buy": ["Log in to buy", "로그인하고 구매"],
  left: ["{0} left", "{0}개 남음"],
  limit: ["at most {0} each", "1인 최대 {0}개"],
  sending: ["Sending your order…", "주문을 보내는 중…"],
  again: ["No answer yet; asking again for the same order…", "아직 응답이 없어 같은 주문을 다시 확인합니다…"],
  PENDING: ["Your order is in. It is being decided…", "주문을 받았습니다. 처리 중…"],
  SUCCESS: ["Yours! {0} paid.", "구매 완료! {0} 결제."],
  FAILED: ["The order failed: {0}", "주문 실패: {0}"],
  "gave up": [
    "There is no answer. Try again: it stays the same order.",
    "응답이 없습니다. 다시 시도해도 같은 주문입니다.",
  ],
  "my orders": ["My orders", "내 주문"],
  "account made": ["Welcome, {0}.", "{0} 님, 환영합니다."],
} as const satisfies Readonly<Record<string, readonly [en: string, ko: string]>>;

export type Text = keyof typeof TEXTS;
const LANGUAGES = ["en", "ko"] as const;
type Language = (typeof LANGUAGES)[number];
const KEY = "flashpay.language";

const chosen = localStorage.getItem(KEY) ?? navigator.language.slice(0, 2);
export const language: Language = LANGUAGES.find((one) => one === chosen) ?? "en";
document.documentElement.lang = language;

/** The text in the reader's language, with {0}, {1} … filled in. */
export function t(text: Text, ...parts: readonly (string | number)[]): string {
  const template: string = TEXTS[text][LANGUAGES.indexOf(language)] ?? text;
  return template.replace(/\{(\d)\}/g, (_, n: string) => String(parts[Number(n)] ?? ""));
}

/** What a code of the API, or of the pages, means; of a later API's code, what that API says of it. */
export function codeText(code: string, otherwise: string): string {
  const texts: Readonly<Record<string, readonly string[]>> = CODE_TEXTS;
  return (Object.hasOwn(texts, code) ? texts[code]?.[LANGUAGES.indexOf(language)] : undefined) ?? otherwise;
}

/** Loads the page anew in the other language. */
export function switchLanguage(): void {
  localStorage.setItem(KEY, language === "en" ? "ko" : "en");
  location.reload();
}

const numbers = new Intl.NumberFormat(language);
export const number = (n: number): string => numbers.format(n);

/** An amount in the currency's smallest unit. */
export function money(amount: number, currency: string): string {
  const format = new Intl.NumberFormat(language, { style: "currency", currency });
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 0));
}

const instants = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
export const instant = (iso: string): string => instants.format(new Date(iso));

const times = new Intl.DateTimeFormat(language, { timeStyle: "medium", hourCycle: "h23" });
/** "18:30:05", whatever the language: there is little room below a chart. */
export const timeOfDay = (epochMs: number): string => times.format(epochMs);

export function duration(ms: number): string {
  if (ms < 10_000) return ms < 100 ? `${ms.toFixed(1)} ms` : `${String(Math.round(ms))} ms`;
  const s = Math.round(ms / 1_000);
  return s < 600 ? `${String(s)} s` : `${String(Math.round(s / 60))} min`;
}
