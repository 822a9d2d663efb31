export const ticketId = () => `ticket-${Math.floor(Math.random() * 1_000)}`;
