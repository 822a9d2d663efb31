import { Controller, Get, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ExportQuery, exportTypes } from '#contracts';
import { ReaderGuard } from '../reader.guard.js';
import { exportText } from './export-text.js';
import { Exports } from './exports.js';
import type { ReadModel } from '../generations/read-model.js';
import { Readings } from '../generations/readings.js';

/** All tickets of a list as a file. */
@Controller('v1/tickets')
@UseGuards(ReaderGuard)
export class ExportController {
  constructor(
    private readonly readings: Readings<ReadModel>,
    private readonly exports: Exports,
  ) {}

  @Get('export')
  async export(@Query({ schema: ExportQuery }) query: ExportQuery, @Req() { reader: { principal } }: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { format } = query;
    const model = await this.readings.live();
    const file = await this.exports.open(exportText(format, this.readings.kept(model, model.exports.tickets(principal, query))));
    const name = `tickets-${principal.orgId}-${new Date().toISOString().slice(0, 10)}.${format}`;
    void reply.headers({ 'content-type': exportTypes[format], 'content-disposition': `attachment; filename="${name}"` }).send(file);
  }
}
