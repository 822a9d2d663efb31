import { exportColumns, type ExportFormat, type Ticket } from '#contracts';
import type { TicketView } from '../ticket-view.projection.js';
import { csvLine } from './csv.js';

/** A ticket as an export needs it. */
export type ExportedTicket = Pick<TicketView, 'ticket' | 'description'>;

/** Without it spreadsheets take UTF-8 for something else. */
const byteOrderMark = '\ufeff';

const formats: Record<ExportFormat, { head: string; line: (ticket: ExportedTicket) => string }> = {
  csv: {
    head: byteOrderMark + csvLine(Object.keys(exportColumns)),
    line: ({ ticket, description }) => {
      const whole = { ...(JSON.parse(ticket) as Omit<Ticket, 'description'>), description };
      return csvLine(Object.values(exportColumns).map((cell) => cell(whole)));
    },
  },
  // Tickets are stored as JSON texts: what is missing is put behind, without taking them apart.
  ndjson: { head: '', line: ({ ticket, description }) => `${ticket.slice(0, -1)},"description":${JSON.stringify(description)}}\n` },
};

/** The text of an export in pieces, none of them empty. Nothing comes before the first tickets were read. */
export async function* exportText(format: ExportFormat, pieces: AsyncIterable<readonly ExportedTicket[]>): AsyncGenerator<string, void> {
  const { head, line } = formats[format];
  let text = head;
  for await (const tickets of pieces) {
    for (const ticket of tickets) text += line(ticket);
    if (text !== '') yield text;
    text = '';
  }
  if (text !== '') yield text;
}
