/** What fills the page below its head; `end` stops what it started. */
export interface View {
  readonly box: HTMLElement;
  readonly end: () => void;
}
