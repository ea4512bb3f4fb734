/**
 * What each `code` of a problem and each `failReason` of an order means to a reader: English, Korean. One for every one of the
 * API's: what has none here would reach the reader raw. A test compares the two.
 */
export const CODE_TEXTS = {
  validation_failed: ["Some fields need another look.", "입력 내용을 확인하세요."],
  invalid_json: ["The server could not read the request.", "서버가 요청을 읽지 못했습니다."],
  unauthenticated: ["Log in first.", "먼저 로그인하세요."],
  forbidden: ["This account may not do that.", "이 계정에는 권한이 없습니다."],
  not_found: ["There is no such thing.", "찾을 수 없습니다."],
  method_not_allowed: ["The server does not do that.", "서버가 지원하지 않는 요청입니다."],
  username_taken: ["This user name is in use.", "이미 쓰는 사용자 이름입니다."],
  email_taken: ["This e-mail address is in use.", "이미 쓰는 이메일입니다."],
  sold_out: ["Sold out.", "매진되었습니다."],
  sale_not_open: ["The sale has not begun.", "아직 판매 전입니다."],
  sale_closed: ["The sale is over.", "판매가 끝났습니다."],
  limit_exceeded: ["You have bought as many as you may.", "구매 한도에 도달했습니다."],
  order_in_progress: ["An order of yours is on its way.", "처리 중인 주문이 있습니다."],
  dead_letter_handled: ["Somebody has handled it before.", "이미 처리되었습니다."],
  payload_too_large: ["That is too much at once.", "한 번에 보내기에 너무 큽니다."],
  unsupported_media_type: ["The server does not take this form.", "서버가 받지 않는 형식입니다."],
  idempotency_key_reused: [
    "This was asked before, for something else. Load the page anew.",
    "다른 요청에 이미 쓴 키입니다. 페이지를 새로 고치세요.",
  ],
  too_many_requests: ["Too many requests. Wait a little.", "요청이 너무 많습니다. 잠시 기다리세요."],
  not_ready: [
    "Not ready right now. Try again shortly.",
    "지금은 처리할 수 없습니다. 잠시 후 다시 시도하세요.",
  ],
  outcome_unknown: [
    "It is not known yet whether your order is in. Try again: it stays the same order.",
    "주문이 접수되었는지 아직 알 수 없습니다. 다시 시도해도 같은 주문입니다.",
  ],
  internal: [
    "Something went wrong on the server. Try again later.",
    "서버에 문제가 생겼습니다. 나중에 다시 시도하세요.",
  ],

  outside_window: ["It came outside the sale's time.", "판매 시간이 아닙니다."],
  price_mismatch: ["The price was not this sale's.", "판매 가격과 다릅니다."],
  unknown_product: ["This sale is not known.", "알 수 없는 판매입니다."],
  unknown_user: ["This buyer is not known.", "알 수 없는 구매자입니다."],
  invalid_message: ["The order could not be read.", "주문 내용을 읽을 수 없습니다."],

  // The pages' own.
  network: ["The server does not answer.", "서버가 응답하지 않습니다."],
  wrong_log_in: ["The name or the password is wrong.", "이름 또는 비밀번호가 틀렸습니다."],
  admins_only: ["This account is no administrator's.", "관리자 계정이 아닙니다."],
  broken_off: [
    "The download broke off. Nothing was saved, since the file would not be whole. Try again.",
    "내려받기가 중간에 끊겼습니다. 온전하지 않은 파일은 저장하지 않았습니다. 다시 시도하세요.",
  ],
} as const satisfies Readonly<Record<string, readonly [en: string, ko: string]>>;
