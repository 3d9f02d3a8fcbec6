// Answers in the place of an application that is suspended: 503 for every request that no static file has answered, in the
// form that the client reads best. Everything is made when the configuration is taken, nothing at a request but its id.
import type { ProxyConfig } from '../../core/config/proxy.ts';
import { FAULTS } from '../../core/errors.ts';
import type { Exchange, FaultAnswer } from '../../http/exchange.ts';
import { preferredForm } from '../accept.ts';
import type { Middleware } from '../pipeline.ts';
import { makeMaintenancePage } from './maintenance-page.ts';

const FORMS = ['text/html', 'application/json', 'text/plain'] as const;
type Form = (typeof FORMS)[number];

/** The page draws itself and asks nobody for anything. */
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

export function maintenance(settings: ProxyConfig['maintenance']): Middleware {
  if (settings === undefined) return (next) => next;
  const { retryAfterSeconds } = settings;
  const answers = Object.fromEntries(FORMS.map((form) => [form, makeAnswer(form, retryAfterSeconds)])) as Record<
    Form,
    FaultAnswer
  >;
  return () => (exchange) => {
    const { headers, body } = answers[formFor(exchange)];
    exchange.fail('MAINTENANCE', '', { headers: [...headers, 'X-Request-Id', exchange.requestId], body });
  };
}

/** Text where the client does not care: it is a program, or a person at a terminal. */
function formFor(exchange: Exchange): Form {
  return preferredForm(exchange.header('accept'), FORMS, 'text/plain');
}

function makeAnswer(form: Form, retryAfterSeconds: number): FaultAnswer {
  const charset = form === 'application/json' ? '' : '; charset=utf-8';
  const headers = [
    ...['Content-Type', form + charset, 'Cache-Control', 'no-store', 'Retry-After', String(retryAfterSeconds)],
    ...['Vary', 'Accept', 'X-Content-Type-Options', 'nosniff'],
    ...(form === 'text/html' ? ['Content-Security-Policy', PAGE_POLICY] : []),
  ];
  return { headers, body: Buffer.from(bodyOf(form, retryAfterSeconds)) };
}

function bodyOf(form: Form, retryAfterSeconds: number): string {
  const { status, message } = FAULTS.MAINTENANCE;
  if (form === 'text/html') return makeMaintenancePage(retryAfterSeconds);
  if (form === 'text/plain') return `${status} Service Unavailable\n${message}\n`;
  return `${JSON.stringify({ status, code: 'MAINTENANCE', message, retryAfterSeconds })}\n`;
}
