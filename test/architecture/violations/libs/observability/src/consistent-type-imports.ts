import { Server } from 'node:http';

export const port = (server: Server) => server.address();
