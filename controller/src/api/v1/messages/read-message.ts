import Type from 'typebox'
import { fail } from '../../../lib/error-catalogue.ts'
import { deliveriesOf } from '../../../store/queries/deliveries.ts'
import { getMessage } from '../../../store/queries/messages.ts'
import { route } from '../../http/route.ts'
import { SAMPLE } from '../samples.ts'
import { MessageParams } from './ack-message.ts'
import { checkVisible } from './mailbox.ts'
import { Delivery, deliveryDto, Message, messageDto, sampleDelivery, sampleMessage } from './message-dto.ts'

export const readMessage = route({
  operation: 'readMessage',
  method: 'GET',
  path: '/api/v1/messages/{message}',
  tag: 'messages',
  access: 'messages.read',
  summary: 'Read a message and how its deliveries stand',
  description: 'An agent reads what belongs to threads it takes part in.',
  params: MessageParams,
  answers: {
    200: Type.Object(
      { message: Message, deliveries: Type.Array(Delivery), correlation_id: Type.String() },
      { title: 'MessageWithDeliveries' },
    ),
  },
  example: {
    params: { message: SAMPLE.message },
    answer: { message: sampleMessage, deliveries: [sampleDelivery], correlation_id: SAMPLE.correlation },
  },
  async answer({ params, principal, correlationId }, context) {
    const { reader } = context.store
    const message = await getMessage(reader, params.message)
    if (message === null) throw fail('SW_NOT_FOUND', `there is no message ${params.message}`)
    await checkVisible(context, principal, message)
    const deliveries = await deliveriesOf(reader, params.message)
    return { message: messageDto(message), deliveries: deliveries.map(deliveryDto), correlation_id: correlationId }
  },
})
