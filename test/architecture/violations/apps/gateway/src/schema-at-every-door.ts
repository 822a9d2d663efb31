import { Body, Controller, Post } from '@nestjs/common';

@Controller('tickets')
export class TicketsController {
  @Post()
  create(@Body() body: { title: string }) {
    return body.title;
  }
}
