import type { Answer } from "./http-client.ts";

/** Bodies as contract §1 and §2 promise them. */

export interface OrderBody {
  readonly orderId: string;
  readonly status: "PENDING" | "SUCCESS" | "FAILED";
  readonly productId: number;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly amount: number;
  readonly currency: string;
  readonly acceptedAt: string;
  readonly decidedAt?: string;
  readonly failReason?: string;
  readonly settlement?: { readonly id: number; readonly amount: number; readonly settledAt: string };
}

export interface SaleBody {
  readonly id: number;
  readonly title: string;
  readonly price: number;
  readonly stock: number;
  readonly stockLeft: number;
  readonly startTime: string;
  readonly endTime: string;
  readonly perUserLimit: number;
  readonly state: string;
}

export interface SettlementBody {
  readonly id: number;
  readonly orderId: string;
  readonly userId: number;
  readonly productId: number;
  readonly type: string;
  readonly amount: number;
  readonly currency: string;
  readonly settledAt: string;
}

export interface UserBody {
  readonly id: number;
  readonly username: string;
  readonly email: string;
  readonly role: string;
  readonly createdAt: string;
}

export interface LetterBody {
  readonly id: number;
  readonly partition: number;
  readonly offset: number;
  readonly orderId: string | null;
  readonly error: string;
  readonly status: "parked" | "replayed" | "discarded";
  readonly handledAt: string | null;
  readonly size: number;
}

export interface InspectedLetterBody extends LetterBody {
  readonly key: { readonly encoding: string; readonly content: string } | null;
  readonly value: { readonly encoding: string; readonly content: string } | null;
  readonly orderStatus: string | null;
  readonly audit: readonly AuditBody[];
}

export interface AuditBody {
  readonly id: number;
  readonly at: string;
  readonly admin: { readonly id: number; readonly username: string };
  readonly action: string;
  readonly target: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

export interface Problem {
  readonly success: boolean;
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly traceId: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
  readonly data?: { readonly status: string; readonly reason: string };
}

interface Success {
  readonly success: boolean;
  readonly data: unknown;
  readonly meta?: { readonly nextCursor: string | null };
}

export const successOf = ({ text }: Answer): Success => JSON.parse(text) as Success;
export const problemOf = ({ text }: Answer): Problem => JSON.parse(text) as Problem;
export const orderOf = (answer: Answer): OrderBody => successOf(answer).data as OrderBody;
export const ordersOf = (answer: Answer): OrderBody[] => successOf(answer).data as OrderBody[];
export const saleOf = (answer: Answer): SaleBody => successOf(answer).data as SaleBody;
export const salesOf = (answer: Answer): SaleBody[] => successOf(answer).data as SaleBody[];
export const settlementOf = (answer: Answer): SettlementBody => successOf(answer).data as SettlementBody;
export const settlementsOf = (answer: Answer): SettlementBody[] => successOf(answer).data as SettlementBody[];
export const userOf = (answer: Answer): UserBody => successOf(answer).data as UserBody;
export const lettersOf = (answer: Answer): LetterBody[] => successOf(answer).data as LetterBody[];
export const letterOf = (answer: Answer): InspectedLetterBody =>
  successOf(answer).data as InspectedLetterBody;
export const auditOf = (answer: Answer): AuditBody[] => successOf(answer).data as AuditBody[];
export const cursorOf = (answer: Answer): string | null => successOf(answer).meta?.nextCursor ?? null;

/** The refusal's code; what is no refusal gives its status in words. */
export function codeOf(answer: Answer): string {
  if (answer.status < 400) return `status ${answer.status}`;
  try {
    return problemOf(answer).code;
  } catch {
    return `status ${answer.status} without a body`;
  }
}
